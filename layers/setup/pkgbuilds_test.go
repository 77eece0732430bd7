package setup

// pkgbuild is a package for makepkg: the lines of its PKGBUILD beside name and
// version, its .INSTALL, and what package() does.
type pkgbuild struct{ name, more, install, script string }

// hookWords are what the scripts write hooks with.
const hookWords = `
	hook() { install -Dm644 /dev/stdin "$pkgdir/usr/share/libalpm/hooks/$1.hook"; }
	trigger() { printf '[Trigger]\nOperation = Install\nOperation = Upgrade\nType = %s\n' "$1"; shift; printf 'Target = %s\n' "$@"; }
`

// pkgbuilds are packages for real makepkg; together they use every function of
// a scriptlet and every key of a hook. What runs writes to /log.
var pkgbuilds = []pkgbuild{
	{name: "box", script: `
	install -Dm755 "$(command -v busybox)" "$pkgdir/usr/bin/busybox"
	for a in sh cat ls echo id true false touch rm mkdir grep chown chmod sort sed head mv cp ln rmdir tr wc; do ln -s busybox "$pkgdir/usr/bin/$a"; done
	ln -s usr/bin "$pkgdir/bin"; mkdir -p "$pkgdir"/{etc,var,tmp,dev,proc,sys,run,root}
	printf 'root:x:0:0::/root:/bin/sh\n' > "$pkgdir/etc/passwd"; printf 'root:x:0:\n' > "$pkgdir/etc/group"`},
	{name: "hooks", more: "depends=(box)", script: hookWords + `
	{ trigger Path 'usr/share/pay/*' '!usr/share/pay/no*'
	  printf '[Action]\nDescription = Paths\nWhen = PostTransaction\nExec = /bin/sh -c "echo 20 >> /log; cat >> /log"\nNeedsTargets\n'; } | hook 20-path
	{ trigger File 'usr/share/pay/yes'
	  printf '[Action]\nWhen = PostTransaction\nExec = /bin/sh -c '"'echo \"10 it'\"'\"'s\" >> /log'"'\n'; } | hook 10-file
	{ trigger Package 'pay*' '!payoff'
	  printf '[Action]\nWhen = PostTransaction\nExec = /bin/sh -c "echo 15 >> /log; cat >> /log"\nNeedsTargets\nDepends = box>=1\n'; } | hook 15-package
	{ trigger Package 'payload'
	  printf '[Action]\nWhen = PostTransaction\nExec = /bin/sh -c "echo 16 >> /log"\nDepends = absent\n'; } | hook 16-lacks
	{ trigger Package 'payload'
	  printf '[Action]\nWhen = PreTransaction\nExec = /bin/sh -c "echo 05 >> /log"\nAbortOnFail\n'; } | hook 05-before
	{ trigger Package 'payload'
	  printf '[Action]\nWhen = PostTransaction\nExec = /bin/sh -c "echo 30 >> /log; false"\n'; } | hook 30-fails
	{ trigger Package 'payload'
	  printf '[Action]\nWhen = PostTransaction\nExec = /bin/sh -c "echo masked >> /log"\n'; } | hook 40-masked
	{ printf '[Trigger]\nOperation = Remove\nType = Package\nTarget = payload\n[Action]\nWhen = PostTransaction\nExec = /bin/sh -c "echo removed >> /log"\n'; } | hook 50-remove
	{ trigger Package 'payload'
	  printf '[Action]\nWhen = PostTransaction\nExec = /bin/sh -c "echo overridden >> /log"\n'; } | hook 60-overridden
	mkdir -p "$pkgdir/etc/pacman.d/hooks"; ln -s /dev/null "$pkgdir/etc/pacman.d/hooks/40-masked.hook"
	{ trigger Package 'payload'; printf '[Action]\nWhen = PostTransaction\nExec = /bin/sh -c "echo 60 >> /log"\n'; } > "$pkgdir/etc/pacman.d/hooks/60-overridden.hook"`},
	{name: "payload", more: "depends=(box hooks payoff)", script: `
	mkdir -p "$pkgdir/usr/share/pay" "$pkgdir/usr/bin"; cd "$pkgdir/usr/share/pay"
	touch yes no nothing other; mkdir dir; touch dir/x; chmod 750 dir; ln -s yes link
	install -m4755 /dev/null "$pkgdir/usr/bin/suid"`,
		install: `
pre_install() { echo "pre_install $*" >> /log; helper; }
helper() { echo "from $PWD as $(id -u)" >> /log; }
post_install() { echo "post_install $*" >> /log; helper; chown 12:34 /usr/share/pay/yes; chmod 600 /usr/share/pay/other; rm /usr/share/pay/nothing; mkdir -p /var/made/here; ln -s here /var/made/link; false; }
pre_upgrade() { echo never >> /log; }
post_upgrade() { echo never >> /log; }
pre_remove() { echo never >> /log; }
post_remove() { echo never >> /log; }
`},
	{name: "payoff", more: "depends=(box)", script: `mkdir -p "$pkgdir/usr/share/payoff"; echo x > "$pkgdir/usr/share/payoff/x"`,
		install: "pre_install() { echo \"payoff $# $*\" >> /log; return 3; }\npost_install() {\n\techo \"payoff $*\" >> /log\n\tprintf 'a\\nb' >> /usr/share/payoff/x\n}\n"},
	{name: "keys", more: "depends=(box)", script: hookWords + `
	{ trigger Path 'usr/share/pay/dir/' 'usr/share/pay/?es' 'usr/share/pay/[k-n]*' '!usr/share/pay/n*' 'usr/share/pay/nothing'
	  trigger Package 'pay*'
	  printf '[Trigger]\nOperation = Upgrade\nType = Package\nTarget = box\n'
	  printf '[Trigger]\nOperation = Install\nType = Package\nTarget = payoff\nTarget = never\n'
	  printf '[Action]\nDescription = Triggers of several kinds\nWhen = PostTransaction\nDepends = box\nDepends = hooks<2\nDepends = payload=1.0-1\nNeedsTargets\nExec = /bin/sh -c "echo 25 >> /log; cat >> /log"\n'; } | hook 25-several
	{ printf '# a comment\n\n  [Trigger]  \n Operation=Install\nType  =  Package\nType = Path\nTarget = usr/share/pay/yes\n'
	  printf '[Action]\nWhen = PreTransaction\nWhen = PostTransaction\nDescription = one\nDescription = two\nExec = /bin/false\nExec = /bin/sh -c "echo 26 '\''a  b'\'' \\"c\\" >> /log"\n'; } | hook 26-again
	{ trigger Package payload; printf '[Action]\nWhen = PostTransaction\nAbortOnFail\nExec = /bin/sh -c "echo 27 >> /log; false"\n'; } | hook 27-abort
	{ trigger Package payload; printf '[Action]\nWhen = PreTransaction\nExec = /bin/sh -c "echo 04 >> /log; false"\n'; } | hook 04-fails
	{ trigger Package payload; printf '[Action]\nWhen = PostTransaction\nExec = /bin/sh -c "echo dummy >> /log"\n'; } | hook 41-emptied
	{ trigger Path 'usr/share/pay/yes'; printf '[Action]\nWhen = PostTransaction\nExec = bin/sh -c "echo 42 $PWD $(cat | wc -c) $(id -u) >> /log"\n'; } | hook 42-relative
	{ trigger Path 'usr/share/none/*' '!usr/*' ''; printf '[Action]\nWhen = PostTransaction\nExec = /bin/sh -c "echo none >> /log"\n'; } | hook 43-none
	{ trigger Package payload; printf '[Action]\nWhen = PostTransaction\nExec = /bin/absent\n'; } | hook 44-absent
	{ trigger Package payload; printf '[Action]\nWhen = PostTransaction\nExec = /bin/sh -c "echo no suffix >> /log"\n'; } | hook 45-other; mv "$pkgdir/usr/share/libalpm/hooks/45-other.hook" "$pkgdir/usr/share/libalpm/hooks/45-other.hooks"
	mkdir -p "$pkgdir/etc/pacman.d/hooks" "$pkgdir/usr/share/libalpm/hooks/46-directory.hook"; touch "$pkgdir/etc/pacman.d/hooks/41-emptied.hook"`},
	{name: "faulty", more: "depends=(box)", script: hookWords + `
	faulty() { { trigger Package payload; printf '[Action]\nWhen = PostTransaction\nExec = /bin/sh -c "echo faulty >> /log"\n'; } | sed "$2" | hook "$1"; }
	faulty 90-action '$a Nonsense = 1'
	faulty 90-section '$a [Nonsense]'
	faulty 90-trigger '1a Nonsense = 1'
	faulty 90-before '1i Exec = /bin/true'
	faulty 90-operation 's/Upgrade/Reinstall/'
	faulty 90-type 's/Package/Group/'
	faulty 90-when 's/PostTransaction/Whenever/'
	faulty 90-quote 's/log"/log/'
	faulty 91-no-target /Target/d
	faulty 91-no-type /Type/d
	faulty 91-no-operation /Operation/d
	faulty 91-no-when /When/d
	faulty 91-no-exec /Exec/d`},
	{name: "veto", more: "depends=(box)", script: hookWords + `
	{ trigger Package vetoed; printf '[Action]\nWhen = PreTransaction\nAbortOnFail\nExec = /bin/sh -c "echo not this one; exit 2"\n'; } | hook 01-veto`},
	{name: "vetoed", more: "depends=(veto)", script: `mkdir -p "$pkgdir/usr/share/vetoed"`, install: "post_install() { echo vetoed >> /log; }\n"},
}
