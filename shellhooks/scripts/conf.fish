# Every fish reads this before the user's configuration.
source @ETC@/devenv/settle.fish
