package native

import (
	"path"
	"slices"
	"strings"

	"devenv/layers/elf"
)

// row says what some programs need in order to find their data. A value in
// which "@PATTERN" stands is that of the tree's paths that match; if there are
// none, the argument or variable is left out.
type row struct {
	programs []string // by name, patterns
	libs     []string // those that are linked with a library whose name begins so
	unless   []string // patterns of the host: where one matches, programs find the host's
	locale   bool     // all the same, where the user's locale is ours alone
	foreign  bool     // unless the user's locale is ours alone
	having   []string // patterns of the tree: where none matches, the row says nothing

	place bool     // argv[0] is the launcher's path, which the program begins its search at
	args  []string // before the user's own; of several matches of a pattern one argument each
	vars  []variable
}

// variable is one that a program gets. Its children get it, too, and they are
// the host's: so arguments are better.
type variable struct {
	name string
	op   op
	// paths are joined by ":"; lead and trail stand around them where the user
	// has set nothing.
	paths       []string
	lead, trail string
}

// A child of gdb, the program that is debugged, must not get what gdb needs.
var gdbsOwn = []string{"PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "GUILE_LOAD_PATH", "GUILE_LOAD_COMPILED_PATH", "GCONV_PATH", "LOCPATH", "SSL_CERT_FILE"}

// What is written for programs stands in variable.paths, and in arguments, as
// these: a bundle of certificate authorities, and settings of fontconfig.
const (
	certificates = "%certificates"
	fonts        = "%fonts"
)

var perlDirs = []string{
	"@/usr/lib/perl5/*/site_perl", "@/usr/share/perl5/site_perl", "@/usr/lib/perl5/*/vendor_perl", "@/usr/share/perl5/vendor_perl", "@/usr/lib/perl5/*/core_perl", "@/usr/share/perl5/core_perl",
	"@/usr/lib/*-linux-gnu*/perl5/5.[0-9]*", "@/usr/lib/perl5/5.[0-9]*", "@/usr/share/perl5", "@/usr/lib/*-linux-gnu*/perl-base", "@/usr/lib/perl-base",
	"@/usr/lib/*-linux-gnu*/perl/5.[0-9]*", "@/usr/lib/perl/5.[0-9]*", "@/usr/share/perl/5.[0-9]*",
}

func prefixed(prefix string, list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = prefix + s
	}
	return out
}

func unsetAll(names ...string) (vars []variable) {
	for _, name := range names {
		vars = append(vars, variable{name: name, op: unset})
	}
	return vars
}

// table is all that is known of programs. What a row sets, later rows do not.
var table = []row{
	{ // before what is said of libpython: gdb is linked with it, too
		programs: []string{"gdb"}, place: true,
		args: slices.Concat(gdbForgets(), []string{
			"-iex", "set debug-file-directory /usr/lib/debug:@/usr/lib/debug",
			"-iex", "add-auto-load-scripts-directory /usr/share/gdb/auto-load",
			// the host's own libthread_db and printers fit its programs
			"-iex", "add-auto-load-safe-path /usr/share/gdb/auto-load:/usr/lib:/usr/lib64:/lib:/lib64",
		}),
	},
	{
		// Python finds itself; -B keeps it from writing beside the tree's modules.
		programs: []string{"python", "python[23]*"}, place: true, args: []string{"-B"},
		vars: []variable{{name: "PYTHONHOME", op: unset}},
	},
	{libs: []string{"libpython3", "libpython2"}, vars: []variable{
		{name: "PYTHONHOME", paths: []string{"@/usr"}},
		{name: "PYTHONDONTWRITEBYTECODE", trail: "1"},
	}},
	{programs: []string{"perl", "perl5*"}, args: prefixed("-I", perlDirs)},
	{libs: []string{"libperl.so"}, vars: []variable{{name: "PERL5LIB", op: appendTo, paths: perlDirs}}},
	{programs: []string{"git", "git-*", "scalar", "gitk", "tig"}, vars: []variable{
		{name: "GIT_CONFIG_SYSTEM", op: setDefault, paths: []string{"@/etc/gitconfig"}}, // where devenv.toml has one
		{name: "GIT_EXEC_PATH", op: setDefault, paths: []string{"@/usr/lib/git-core"}},
		{name: "GIT_TEMPLATE_DIR", op: setDefault, paths: []string{"@/usr/share/git-core/templates"}},
	}},
	// It would win over the user's http.sslCAInfo.
	{programs: []string{"git", "git-*"}, unless: []string{"/etc/ssl/certs/ca-certificates.crt"}, vars: []variable{{name: "GIT_SSL_CAINFO", op: setDefault, paths: []string{certificates}}}},
	{programs: []string{"gawk*", "awk"}, vars: []variable{
		{name: "AWKPATH", op: appendTo, lead: ".:", paths: []string{"@/usr/share/awk"}},
		{name: "AWKLIBPATH", op: appendTo, paths: []string{"@/usr/lib/gawk", "@/usr/lib/*/gawk"}},
	}},
	// The user that it becomes after it has opened the device may not exist.
	{programs: []string{"tcpdump"}, args: []string{"-Z", "root"}},
	{programs: []string{"vim*", "vi", "ex", "view", "rvim", "rview", "gvim*"}, vars: []variable{
		{name: "VIM", paths: []string{"@/usr/share/vim"}},
		{name: "VIMRUNTIME", paths: []string{"@/usr/share/vim/vim[0-9]*"}},
	}},
	{programs: []string{"file"}, args: []string{"--magic-file=@/usr/share/{file/misc,misc,file}/magic.mgc"}},
	{libs: []string{"libmagic.so"}, vars: []variable{{name: "MAGIC", op: setDefault, paths: []string{"@/usr/share/{file/misc,misc,file}/magic.mgc"}}}},
	{programs: []string{"valgrind*"}, vars: []variable{{name: "VALGRIND_LIB", paths: []string{"@/usr/{libexec,lib}/valgrind"}}}},
	{programs: []string{"ltrace"}, args: []string{"-F", "@/usr/share/ltrace"}},
	{programs: []string{"ltrace"}, args: []string{"-F", "@/etc/ltrace.conf"}},
	{programs: []string{"openssl"}, vars: []variable{
		{name: "OPENSSL_MODULES", op: setDefault, paths: []string{"@/usr/lib/{ossl-modules,*/ossl-modules}"}},
		{name: "OPENSSL_ENGINES", op: setDefault, paths: []string{"@/usr/lib/{engines-3,*/engines-3}"}},
	}},
	{programs: []string{"wget"}, unless: []string{"/etc/ssl/certs/ca-certificates.crt"}, args: []string{"--ca-certificate=" + certificates}},
	{programs: []string{"info"}, vars: []variable{{name: "INFOPATH", op: appendTo, paths: []string{"@/usr/share/info"}, trail: ":"}}},
	{programs: []string{"bison", "yacc"}, vars: []variable{
		{name: "BISON_PKGDATADIR", op: setDefault, paths: []string{"@/usr/share/bison"}},
		{name: "M4", op: setDefault, paths: []string{"@/usr/bin/m4"}},
	}},
	{programs: []string{"flex", "flex++", "lex"}, vars: []variable{{name: "M4", op: setDefault, paths: []string{"@/usr/bin/m4"}}}},
	{programs: []string{"swig*"}, vars: []variable{{name: "SWIG_LIB", op: setDefault, paths: []string{"@/usr/share/{swig/[0-9]*,swig[0-9]*}"}}}},
	{programs: []string{"figlet"}, args: []string{"-d", "@/usr/share/figlet{/fonts,}"}},
	{programs: []string{"groff", "troff", "nroff", "grotty", "grops", "gropdf", "grohtml", "eqn", "tbl", "pic"}, vars: []variable{
		{name: "GROFF_FONT_PATH", op: appendTo, paths: []string{"@/usr/share/groff/[0-9]*/font"}},
		{name: "GROFF_TMAC_PATH", op: appendTo, paths: []string{"@/usr/share/groff/[0-9]*/tmac", "@/etc/groff"}},
		{name: "GROFF_BIN_PATH", op: setDefault, paths: []string{"@/usr/bin"}},
	}},
	// What gpg starts must be as old as itself.
	{programs: []string{"gpg", "gpg2"}, args: []string{"--agent-program=@/usr/bin/gpg-agent"}},
	{programs: []string{"gpg", "gpg2"}, args: []string{"--dirmngr-program=@/usr/bin/dirmngr"}},
	{programs: []string{"gpg-connect-agent", "gpgsm"}, args: []string{"--agent-program=@/usr/bin/gpg-agent"}},
	{programs: []string{"gpg-agent"}, args: []string{"--scdaemon-program=@/usr/lib/gnupg/scdaemon"}},
	{programs: []string{"lspci"}, args: []string{"-i", "@/usr/share/hwdata/pci.ids"}},
	{programs: []string{"nmap"}, vars: []variable{{name: "NMAPDIR", op: setDefault, paths: []string{"@/usr/share/nmap"}}}},
	{programs: []string{"perf"}, vars: []variable{{name: "PERF_EXEC_PATH", op: setDefault, paths: []string{"@/usr/lib/perf-core"}}}},
	{programs: []string{"tshark", "wireshark", "dumpcap"}, vars: []variable{{name: "WIRESHARK_DATA_DIR", op: setDefault, paths: []string{"@/usr/share/wireshark"}}}},
	{programs: []string{"nvim"}, vars: []variable{{name: "VIMRUNTIME", paths: []string{"@/usr/share/nvim/runtime"}}}},
	{libs: []string{"libguile-3"}, vars: []variable{
		{name: "GUILE_LOAD_PATH", op: appendTo, paths: []string{"@/usr/share/guile/3.0", "@/usr/share/guile/site/3.0"}},
		{name: "GUILE_LOAD_COMPILED_PATH", op: appendTo, paths: []string{"@/usr/lib/guile/3.0/ccache", "@/usr/lib/*/guile/3.0/ccache"}},
	}},
	{libs: []string{"libruby"}, vars: []variable{{name: "RUBYLIB", op: appendTo, paths: []string{"@/usr/lib/ruby/vendor_ruby", "@/usr/lib/ruby/[0-9]*", "@/usr/lib/ruby/[0-9]*/*-linux*"}}}},
	{libs: []string{"libtcl8", "libtcl9"}, vars: []variable{
		{name: "TCL_LIBRARY", op: setDefault, paths: []string{"@/usr/{lib,share/tcltk}/tcl[89].[0-9]"}},
		{name: "TCL8_6_TM_PATH", op: setDefault, paths: []string{"@/usr/share/tcltk/tcl8.6/tcl8"}}, // Debian's; else it lies beside
	}},
	{libs: []string{"libtk8", "libtk9"}, vars: []variable{{name: "TK_LIBRARY", op: setDefault, paths: []string{"@/usr/{lib,share/tcltk}/tk[89].[0-9]"}}}},
	{libs: []string{"libMagickCore"}, vars: []variable{
		{name: "MAGICK_CONFIGURE_PATH", op: appendTo, paths: []string{"@/etc/ImageMagick-*", "@/usr/share/ImageMagick-*"}},
		{name: "MAGICK_CODER_MODULE_PATH", op: setDefault, paths: []string{"@/usr/lib/ImageMagick-*/modules-*/coders"}},
	}},
	{libs: []string{"libfontconfig.so"}, unless: []string{"/etc/fonts/fonts.conf"}, vars: []variable{
		{name: "FONTCONFIG_PATH", op: setDefault, paths: []string{"@/etc/fonts"}},
		{name: "FONTCONFIG_FILE", op: setDefault, paths: []string{fonts}},
	}},
	{libs: []string{"libgtk-", "libQt5Core", "libQt6Core", "libgio-2"}, vars: []variable{
		{name: "XDG_DATA_DIRS", op: appendTo, lead: "/usr/local/share:/usr/share:", paths: []string{"@/usr/share"}},
	}},
	{
		libs: []string{"libssl.so", "libcrypto.so", "libcurl", "libgnutls.so"}, programs: []string{"python*", "perl*"},
		vars: []variable{{name: "SSL_CERT_FILE", op: setDefault, paths: []string{certificates}}},
	},
	{ // a trailing ":" stands for the host's own directories
		libs: []string{"libncurses", "libtinfo", "libreadline"}, programs: []string{"python*", "perl*", "fish*", "vim*", "less", "tmux", "screen"},
		vars: []variable{{name: "TERMINFO_DIRS", op: appendTo, paths: []string{"@/usr/share/terminfo", "@/usr/lib/terminfo"}, trail: ":"}},
	},
	// A host without glibc has none of these, and no program that they could harm.
	{
		programs: []string{"*"}, unless: []string{"/usr/lib/gconv", "/usr/lib64/gconv", "/usr/lib/*/gconv"},
		vars: []variable{{name: "GCONV_PATH", op: setDefault, paths: []string{"@/usr/lib/gconv", "@/usr/lib/*/gconv"}}},
	},
	// A glibc before 2.27 takes locales of newer ones, which have more fields, for
	// damaged and aborts, and it looks at the host's whatever LOCPATH says: it must
	// not be asked for one. Its files have their version in their names.
	{
		programs: []string{"*"}, having: []string{"/usr/lib/libc-2.[0-9].so", "/usr/lib/libc-2.1[0-9].so", "/usr/lib/libc-2.2[0-6].so"}, foreign: true,
		vars: unsetAll("LC_ALL", "LANG", "LC_CTYPE", "LC_NUMERIC", "LC_TIME", "LC_COLLATE", "LC_MONETARY", "LC_MESSAGES", "LC_PAPER", "LC_NAME",
			"LC_ADDRESS", "LC_TELEPHONE", "LC_MEASUREMENT", "LC_IDENTIFICATION"),
	},
	{
		programs: []string{"*"}, unless: []string{localeDir + "/*"}, locale: true,
		vars: []variable{{name: "LOCPATH", op: setDefault, paths: []string{"@" + localeDir}, trail: ":" + localeDir}},
	},
}

func gdbForgets() (args []string) {
	for _, name := range gdbsOwn {
		args = append(args, "-iex", "unset environment "+name)
	}
	return args
}

// needs is what the rows say of one program.
type needs struct {
	place   bool
	args    []string
	changes []change
}

func (v *view) needs(p string, o *elf.Object) (n needs) {
	name := path.Base(p)
	libs := v.libraries(o)
	linked := func(prefix string) bool {
		for l := range libs {
			if strings.HasPrefix(l, prefix) {
				return true
			}
		}
		return false
	}
	for _, r := range table {
		if !slices.ContainsFunc(r.programs, func(pattern string) bool { ok, _ := path.Match(pattern, name); return ok }) && !slices.ContainsFunc(r.libs, linked) {
			continue
		}
		if slices.ContainsFunc(r.unless, func(pattern string) bool { return slices.Contains(v.Host.Has, pattern) }) && !(r.locale && v.givesLocale()) {
			continue
		}
		if len(r.having) > 0 && !slices.ContainsFunc(r.having, func(pattern string) bool { return len(v.glob(pattern)) > 0 }) {
			continue
		}
		if r.foreign && v.givesLocale() {
			continue
		}
		n.place = n.place || r.place
		if args, ok := v.arguments(r.args); ok {
			n.args = append(n.args, args...)
		}
		for _, x := range r.vars {
			if slices.ContainsFunc(n.changes, func(c change) bool { return c.name == x.name }) {
				continue
			}
			if c, ok := v.change(x); ok {
				n.changes = append(n.changes, c)
			}
		}
	}
	return n
}

// givesLocale reports whether the environment has the locale that the user wants
// and the host lacks.
func (v *view) givesLocale() bool {
	if v.Host.Lacks == "" {
		return false
	}
	_, ok := v.real(localeDir + "/" + v.Host.Lacks + "/LC_CTYPE")
	return ok
}

// arguments fills in a row's. ok is false if there is nothing to one of them
// that names a file: options and their values stand and fall together.
func (v *view) arguments(templates []string) (args []string, ok bool) {
	for _, t := range templates {
		before, pattern, has := strings.Cut(t, "@")
		switch {
		case strings.Contains(t, certificates):
			if v.certs == "" {
				return nil, false
			}
			args = append(args, strings.Replace(t, certificates, v.certs, 1))
		case !has:
			args = append(args, t)
		case strings.Contains(before, ":"): // one directory of several
			args = append(args, before+v.inHome(pattern))
		case strings.HasPrefix(before, "-I"):
			for _, p := range v.paths("@" + pattern) {
				args = append(args, before+p)
			}
		default:
			paths := v.paths("@" + pattern)
			if len(paths) == 0 {
				return nil, false
			}
			args = append(args, before+paths[0])
		}
	}
	return args, true
}

// paths are those that a template stands for, each once.
func (v *view) paths(template string) (out []string) {
	if written, is := map[string]string{certificates: v.certs, fonts: v.fonts}[template]; is {
		if written != "" {
			out = append(out, written)
		}
		return out
	}
	seen := map[string]bool{} // one directory may have several names
	for _, pattern := range alternatives(strings.TrimPrefix(template, "@")) {
		for _, p := range v.glob(pattern) {
			if real, ok := v.real(p); ok && !seen[real] {
				seen[real] = true
				out = append(out, v.inHome(p))
			}
		}
	}
	return out
}

// alternatives resolves one {a,b}.
func alternatives(pattern string) []string {
	before, rest, ok := strings.Cut(pattern, "{")
	if !ok {
		return []string{pattern}
	}
	list, after, _ := strings.Cut(rest, "}")
	var out []string
	for _, a := range strings.Split(list, ",") {
		out = append(out, before+a+after)
	}
	return out
}

func (v *view) change(x variable) (change, bool) {
	c := change{op: x.op, name: x.name}
	if x.op == unset {
		return c, true
	}
	var paths []string
	for _, t := range x.paths {
		found := v.paths(t)
		if x.op != appendTo && len(found) > 1 {
			found = found[:1]
		}
		paths = append(paths, found...)
	}
	if len(paths) == 0 && len(x.paths) > 0 {
		return c, false
	}
	if x.op != appendTo && len(paths) > 1 {
		paths = paths[:1]
	}
	joined := strings.Join(paths, ":")
	c.value, c.more = x.lead+joined+x.trail, ":"+joined
	return c, true
}
