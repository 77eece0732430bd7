package main_test

// nativeTool is one row of the table: packages, and a line for a plain shell in
// which the host is a Debian system or nothing but busybox. $URL is a TLS server
// whose certificate is $CA; it serves the working directory as
// $URL/files/$WHERE.
type nativeTool struct {
	packages string
	what     string // for the table
	check    string
	want     string // regular expression for what it prints
	keys     string // it runs on a terminal, and gets these
	root     bool   // as root, on this host alone
	refused  bool   // it says that it cannot, and names --namespace
}

var nativeTools = []nativeTool{
	// What looks at the host.
	{packages: "strace", what: "`strace -p` of another process of one's own",
		check: `sleep 30 & p=$!; strace -o out -p $p & await 'grep -q "TracerPid:.[1-9]" /proc/$p/status'; kill $p; await 'grep -q SIGTERM out'; cat out`, want: `SIGTERM`},
	{packages: "ltrace", what: "system calls of a host program; a static one has nothing else for it", check: `ltrace -S -o out /bin/sh -c 'exit 3'; cat out; ltrace -V`, want: `(?s)(status 3|Couldn't find .dynsym).*ltrace`},
	{packages: "gdb", what: "`gdb -p` of another process of one's own, its Python, its data directory, the symbols of the host's libraries, system calls by name, running a host program without a trace of our variables",
		check: `sleep 30 & gdb -batch -p $! -ex bt -ex 'python import json; print("v%d" % (40+2))' -ex 'info proc' -ex 'catch syscall openat' -ex 'python import gdb.printing' 2>&1; kill $!
gdb -batch -ex run --args /bin/sh -c 'env | grep -c -e PYTHONHOME -e GCONV; ls >/dev/null && echo inferior' 2>&1`,
		want: `(?s)#0 .*(nanosleep|\?\? \(\)).*v42.*exe = .*Catchpoint 1 \(syscall 'openat'.*\n0\n.*inferior\n.*exited normally`},
	{packages: "htop", what: "draws, with the names of true users", check: `htop -d 2`, keys: "q", want: `(?s)PID.*USER.*Command`},
	{packages: "lsof", what: "files of another process", check: `exec 7>seven; sleep 30 & lsof -p $!; kill $!`, want: `7w .*seven`},
	{packages: "psmisc", what: "pstree, killall", check: `printf '#!/bin/sh\nsleep 29; true\n' >sleeper; chmod +x sleeper; ./sleeper >log 2>&1 & await 'pstree -p $$ | grep -q sleeper'; pstree -p $$; killall sleeper; wait; echo gone`, want: `(?s)-sleeper\(.*gone`},
	{packages: "procps-ng", what: "ps, pgrep: a launcher's process has the program's own name and arguments",
		check: `tail -f /dev/null & await 'pgrep -x tail | grep -qx $!'; pgrep -x tail >pids; grep -x $! pids && ps -o comm=,args= -p $!; kill $!; watch --version`, want: `(?s)\d+\n(tail|busybox) +tail -f /dev/null.*procps`},
	{packages: "tcpdump", what: "captures on lo", root: true, check: `tcpdump -n -i lo -c 1 icmp >out 2>err & await 'grep -q listening err'; busybox ping -c 2 127.0.0.1 >ping; wait; cat out err`, want: `1 packet captured`},
	{packages: "valgrind", what: "memcheck of a host program", check: `valgrind --leak-check=no /bin/true 2>&1`, want: `ERROR SUMMARY: [0-9]+ errors`},
	{packages: "binutils", what: "readelf, objdump, strings", check: `readelf -h /bin/busybox || readelf -h /bin/sh; objdump -f $(command -v sh) | head -5`, want: `ELF64`},
	{packages: "hyperfine", what: "measures", check: `hyperfine -N -r 3 true 2>&1`, want: `Time \(mean`},

	{packages: "elfutils", what: "the stack of another process", check: `sleep 30 & eu-readelf -h /proc/$!/exe; eu-stack -p $!; kill $!`, want: `(?s)ELF64.*#0`},
	{packages: "iproute2 net-tools", what: "addresses, sockets", check: `ip -br addr show lo; ss -tln; netstat -V`, want: `(?s)lo .*127.0.0.1.*State.*net-tools`},
	{packages: "util-linux ncurses", what: "flock, findmnt; a terminal that the host does not know", check: `flock . echo locked; findmnt -n -o TARGET /proc; infocmp tmux-256color; tput -T tmux-256color cols`, want: `(?s)locked\n/proc\n.*colors#0?x?[0-9]+.*80`},

	// Text and files.
	{packages: "coreutils findutils grep sed", what: "sorts, finds, letters of Unicode", check: `mkdir d; printf 'b\na\n' >d/x; sort d/x; find d -name x -print0 | xargs -0 stat -c %s; echo 'Grün 12' | grep -oE '[[:upper:]][[:alpha:]]+' | sed 's/ü/u/'`, want: `^a\nb\n4\nGrun\n$`},
	{packages: "tar gzip bzip2 xz lz4 brotli zip unzip cpio", what: "each packs and unpacks", check: `echo x >f; for c in gzip bzip2 xz lz4 brotli; do $c -c <f | $c -dc; done; tar -cf - f | xz | xz -d | tar -xOf -; zip -q a.zip f; unzip -p a.zip; echo f | cpio -o >c; cpio -t <c`, want: `(?s)^(x\n){7}.*\bf\n`},
	{packages: "bc ed patch dos2unix", what: "a number, a line, a patch", check: `echo '2^64' | bc; printf 'a\nx\n.\nw f\nq\n' | ed -s; printf -- '--- f\n+++ f\n@@ -1 +1 @@\n-x\n+y\r\n' | patch -s; dos2unix -q f; cat f`, want: `^18446744073709551616\ny\n$`},
	{packages: "parallel moreutils pv", what: "jobs, sponge", check: `parallel --will-cite -k echo {}{} ::: a b | sponge f; pv -q f`, want: `aa\nbb\n$`},
	{packages: "fzf entr ctags patchelf", what: "picks, watches, indexes", check: `printf 'one\ntwo\n' | fzf -f tw; echo 'int f(void) {}' >x.c; echo x.c | entr -nz ctags x.c; cut -f1 tags | tail -1; patchelf --version`, want: `(?s)^two\n.*f\npatchelf`},
	{packages: "shellcheck", what: "finds a fault", check: `printf '#!/bin/sh\necho $x\n' >s; shellcheck s`, want: `SC2154`},
	{packages: "groff", what: "a manual page", check: `printf '.TH x 1\n.SH NAME\nthere\n' | groff -man -Tutf8`, want: `there`},
	{packages: "e2fsprogs", what: "makes a file system in a file, and checks it", check: `truncate -s 2M i; mke2fs -q i; e2fsck -fn i`, want: `i: 11/`},
	{packages: "fontconfig", what: "fonts: the host's; where it has none, the tree's", check: `fc-list : family; fc-match sans`, want: `(?s)\w.*"`},
	{packages: "jq", what: "`jq -c .a`", check: `echo '{"a": [1, 2]}' | jq -c .a`, want: `^\[1,2\]\n$`},
	{packages: "ripgrep", what: "searches with Unicode", check: `echo 'grün 12' >f; rg -o '\w+ \d+' f`, want: `^grün 12\n$`},
	{packages: "fd", what: "finds", check: `mkdir d; touch d/x.c; fd -e c`, want: `d/x.c`},
	{packages: "bat", what: "colours", check: `echo 'int main(void);' >f.c; bat --color=always --paging=never f.c`, want: `\x1b\[`},
	{packages: "tree", what: "draws with lines", check: `mkdir d; touch d/x; tree --charset=utf-8 d`, want: `└── x`},
	{packages: "file", what: "its own magic", check: `printf '\177ELF\002\001\001' >e; file e; echo '{}' >j; file --mime-type j`, want: `(?s)ELF 64-bit LSB.*application/json`},
	{packages: "less", what: "draws, on terminals that the host does not know", check: `seq 100 >f; TERM=tmux-256color less f`, keys: "q", want: `(?s)1\r?\n.*2\r?\n.*\x1b\[`},
	{packages: "rsync", what: "copies, and starts itself as its server", check: `mkdir a; echo x >a/f; rsync -a a/ b/ && cat b/f`, want: `^x\n$`},
	{packages: "zstd", what: "compresses and back", check: `echo data | zstd | zstd -d`, want: `^data\n$`},
	{packages: "sqlite", what: "a table", check: `sqlite3 db 'create table t(a); insert into t values(6*7); select * from t'`, want: `^42\n$`},
	{packages: "diffutils", what: "diff starts itself in threes", check: `echo a >1; echo b >2; diff3 1 1 2; sdiff -s 1 2; cmp 1 2`, want: `differ`},
	{packages: "gawk", what: "with an extension library", check: `gawk -l time 'BEGIN { if (gettimeofday() > 1e9) print "now" }'`, want: `now\n$`},

	// Editors and terminals.
	{packages: "vim", what: "its runtime files: syntax, help; draws", check: `printf 'b\na\n' >f; vim -es -u DEFAULTS -c 'sort | wq' f; cat f
vim -es -u DEFAULTS -c 'syntax on' -c 'help options' -c 'redir! > o | echo expand("%:t") exists("g:syntax_on") | redir END' -c 'qa!'; cat o; vim -u DEFAULTS f`, keys: ":q\r", want: `(?s)a\r\nb\r\n.*options.txt 1.*\x1b\[`},
	{packages: "nano", what: "draws", check: `echo text >f; nano f`, keys: "\x18", want: `(?s)GNU nano.*text`},
	{packages: "tmux", what: "a server, a window in it with the host's shell", check: `tmux -L $$ -f /dev/null new -d 'echo in $TERM >out; sleep 30'; await '[ -s out ]'; tmux -L $$ ls; cat out; tmux -L $$ kill-server`, want: `(?s)1 windows.*in (tmux|screen)`},
	{packages: "mg ncdu", what: "draws", check: `echo x >f; ncdu -0 .`, keys: "q", want: `(?s)ncdu.*f`},
	{packages: "fish", what: "its functions", check: `fish -c 'string upper a; math 2+2; type -t fish_prompt; echo $fish_function_path'`, want: `(?s)A\n4\nfunction\n.*launchers`},

	// Languages.
	{packages: "python", what: "ssl, sqlite3, curses, ctypes, lzma; starts itself; https",
		check: `python -c '
import ssl, sqlite3, curses, ctypes, lzma, os, subprocess, sys, urllib.request
curses.setupterm("xterm", 1)
print(sqlite3.connect(":memory:").execute("select 6*7").fetchone(), ctypes.CDLL(None).getpid() == os.getpid())
print(subprocess.check_output([sys.executable, "-c", "import json; print(json.dumps([1]))"]))
print(urllib.request.urlopen(os.environ["URL"] + "/hello", context=ssl.create_default_context(cafile=os.environ["CA"])).read())
'; ls`, want: `(?s)\(42,\) True\nb'\[1\]\\n'\nb'over tls\\n'\n`},
	{packages: "perl", what: "POSIX, Socket, Unicode tables; starts itself", check: `perl -MPOSIX=floor -MIO::Socket -MEncode -MData::Dumper -e '$Data::Dumper::Terse = 1; print Dumper(floor(2.5)), lc(decode("UTF-8", "\xc3\x84")) eq "\x{e4}"; system $^X, "-MList::Util=sum", "-e", "print sum(1..3)"'; prove --version`, want: `(?s)2'?\n16.*TAP::Harness`},
	{packages: "ruby", what: "json, openssl; starts itself", check: `ruby -e 'require "json"; require "openssl"; require "rbconfig"; puts [1].to_json, OpenSSL::Digest.hexdigest("MD5", "")'`, want: `(?s)\[1\]\nd41d8cd9`},
	{packages: "lua", what: "runs", check: `lua -e 'print(6*7)'`, want: `^42\n$`},
	{packages: "tcl", what: "its library", check: `echo 'puts [clock format 0 -gmt 1 -format %Y]' | tclsh`, want: `1970`},
	{packages: "guile", what: "its library", check: `guile -c '(use-modules (ice-9 format)) (format #t "~a~%" (* 6 7))'`, want: `42`},
	{packages: "bash dash", what: "runs a script; starts itself", check: `bash -c 'echo ${BASH_VERSINFO[0]}; "$BASH" -c "echo again"'; dash -c 'echo dash'`, want: `^\d\nagain\ndash\n$`},
	{packages: "bison flex", what: "with their skeletons, and their own m4", check: `printf '%%token A\n%%%%\ns: A;\n' >g.y; bison g.y; printf '%%%%\nx ;\n' >l.l; flex l.l; ls`, want: `g.tab.c(?s).*lex.yy.c`},
	{packages: "swig", what: "its library", check: `echo '%module x' >x.i; swig -python x.i; ls`, want: `x_wrap.c`},
	{packages: "make", what: "with the host's tools", check: `printf 'all:\n\t@echo $(shell echo made)\n' >Makefile; make -s`, want: `^made\n$`},
	{packages: "cmake", what: "its modules; with the host's tools", check: `cmake -E echo hi; echo 'include(CMakePrintHelpers)
set(x 1)
cmake_print_variables(x)' >s.cmake; cmake -P s.cmake`, want: `(?s)hi\n.*x="1"`},
	{packages: "ninja", what: "with the host's tools", check: `printf 'rule r\n command = echo x >$out\nbuild o: r\n' >build.ninja; ninja; cat o`, want: `x\n$`},

	// The network.
	{packages: "git", what: "commits; clones a directory and over https; its scripts",
		check: `export GIT_CONFIG_GLOBAL=$WORK/c; git config --global user.name a; git config --global user.email a@b; export GIT_SSL_CAINFO=$CA
git init -q r && cd r && echo x >f && git add f && git commit -qm m && git clone -q "file://$PWD" ../two && git update-server-info && cd .. && git clone -q $URL/files/$WHERE/r/.git three && cat two/f three/f; ls three/.git/hooks | head -1; cd two; git submodule status && git stash list && echo scripts`,
		want: `x\nx\n.*\n?scripts\n$`},
	{packages: "curl ca-certificates", what: "file:// and https", check: `echo f >f; curl -s file://$PWD/f; curl -sS --cacert $CA $URL/hello; curl -sS $URL/hello; echo $?`, want: `(?s)^f\nover tls\ncurl: \(60\).*60\n$`},
	{packages: "wget", what: "https", check: `wget -qO- --ca-certificate=$CA $URL/hello`, want: `over tls`},
	{packages: "openssl", what: "reads a certificate; its providers", check: `openssl x509 -in $CA -noout -dates; openssl list -providers -provider legacy`, want: `(?s)notAfter.*legacy`},
	{packages: "openssh", what: "keys, an agent", check: `ssh-keygen -q -t ed25519 -N '' -f k; ssh-agent ssh-add -q k; ssh-keygen -lf k.pub`, want: `ED25519`},
	{packages: "gnupg", what: "encrypts and back, with its own agent", check: `export GNUPGHOME=$PWD/g; mkdir -m 700 g; gpg -q --batch --passphrase '' --quick-gen-key me@x default default never; echo secret | gpg -q --trust-model always -r me@x -e | gpg -q -d; gpg-connect-agent killagent /bye`, want: `secret\n`},
	{packages: "openbsd-netcat", what: "a socket", check: `nc -lU s >o & await '[ -S s ]'; echo there | nc -NU s; wait; cat o`, want: `there\n$`},
	{packages: "socat", what: "TLS", check: `printf 'GET /hello HTTP/1.0\r\n\r\n' | socat - "OPENSSL:${URL#https://},cafile=$CA,verify=0"`, want: `over tls`},

	// What cannot.
	{packages: "gcc", what: "says why, and names `--namespace`", check: `true`, refused: true},
	{packages: "clang", what: "likewise", check: `true`, refused: true},
	{packages: "cppcheck", what: "likewise: its data", check: `true`, refused: true},
	{packages: "zsh", what: "likewise: its modules", check: `true`, refused: true},
	{packages: "autoconf", what: "likewise: its data", check: `true`, refused: true},
	{packages: "nodejs", what: "likewise: Debian's loads its own modules from `/usr/share/nodejs`; Arch's has them built in", check: `true`, refused: true},
	{packages: "automake", what: "likewise: its data", check: `true`, refused: true},
	{packages: "libtool", what: "likewise: its data", check: `true`, refused: true},
}
