package shellhooks

// Completion is the script that completes devenv's command line in a shell;
// false if there is none for it. It asks "devenv _complete".
func Completion(shell string) (string, bool) {
	switch shell {
	case "bash", "zsh", "fish":
		data, err := scripts.ReadFile("scripts/completion." + shell)
		return string(data), err == nil
	}
	return "", false
}
