package sandbox

import (
	"maps"
	"slices"
	"strings"
)

// Dropped lists the variables of the host that do not pass into an
// environment: they name files, directories and flags of the host's own
// toolchain, and would make the environment's look there.
var Dropped = []string{
	// the loader
	"LD_*", "GCONV_PATH", "LOCPATH", "NLSPATH", "MALLOC_*", "GLIBC_TUNABLES",
	// compilers and linkers
	"CC", "CXX", "CPP", "AR", "AS", "NM", "RANLIB", "STRIP", "OBJCOPY", "FC", "F77",
	"CFLAGS", "CXXFLAGS", "CPPFLAGS", "FFLAGS", "FCFLAGS", "LDFLAGS", "LDLIBS", "ASFLAGS", "ARFLAGS",
	"CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "OBJC_INCLUDE_PATH", "LIBRARY_PATH", "COMPILER_PATH", "GCC_EXEC_PREFIX", "DEPENDENCIES_OUTPUT",
	// build systems
	"PKG_CONFIG", "PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR", "PKG_CONFIG_SYSROOT_DIR", "ACLOCAL_PATH", "CONFIG_SITE",
	"CMAKE_PREFIX_PATH", "CMAKE_LIBRARY_PATH", "CMAKE_INCLUDE_PATH", "CMAKE_PROGRAM_PATH", "CMAKE_MODULE_PATH", "CMAKE_TOOLCHAIN_FILE", "CMAKE_GENERATOR",
	"QTDIR", "QT_PLUGIN_PATH", "QML_IMPORT_PATH", "QML2_IMPORT_PATH",
	// languages
	"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONUSERBASE", "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV",
	"PERL5LIB", "PERL5OPT", "PERLLIB", "PERL_MM_OPT", "PERL_MB_OPT", "PERL_LOCAL_LIB_ROOT",
	"RUBYLIB", "RUBYOPT", "GEM_HOME", "GEM_PATH", "LUA_PATH", "LUA_CPATH", "NODE_PATH", "NODE_OPTIONS",
	"JAVA_HOME", "CLASSPATH", "JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "GOROOT", "TCLLIBPATH", "R_HOME", "R_LIBS", "GUILE_LOAD_PATH", "GUILE_LOAD_COMPILED_PATH", "OCAMLPATH", "CAML_LD_LIBRARY_PATH", "GI_TYPELIB_PATH", "VALAPATH", "VAPIDIR",
	// data directories of the host's packages
	"XDG_DATA_DIRS", "XDG_CONFIG_DIRS", "MANPATH", "INFOPATH", "TERMINFO", "TERMINFO_DIRS", "FONTCONFIG_FILE", "FONTCONFIG_PATH",
	"GSETTINGS_SCHEMA_DIR", "GIO_EXTRA_MODULES", "GIO_MODULE_DIR", "GDK_PIXBUF_MODULE_FILE", "GDK_PIXBUF_MODULEDIR", "GTK_PATH", "GTK_EXE_PREFIX", "GTK_DATA_PREFIX", "GTK_MODULES",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "GIT_EXEC_PATH", "GIT_TEMPLATE_DIR", "MAGIC",
	// shells
	"BASH_ENV", "ENV", "FPATH", "SHELLOPTS", "BASHOPTS", "PROMPT_COMMAND",
}

// Kept lists the variables that pass with --pure.
var Kept = []string{
	"HOME", "USER", "LOGNAME", "TERM", "COLORTERM", "TZ", "LANG", "LANGUAGE", "LC_ALL", "LC_ADDRESS", "LC_COLLATE", "LC_CTYPE", "LC_IDENTIFICATION", "LC_MEASUREMENT", "LC_MESSAGES", "LC_MONETARY", "LC_NAME", "LC_NUMERIC", "LC_PAPER", "LC_TELEPHONE", "LC_TIME",
	"PWD", "OLDPWD", "TMPDIR", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS",
	"http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
	"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "NO_COLOR", "CI", "SOURCE_DATE_EPOCH", "LINES", "COLUMNS",
}

// What prompts and programs inside read to know where they are.
const (
	NameVar    = "DEVENV_NAME"
	ProjectVar = "DEVENV_PROJECT"
)

// environ puts down which variables pass and which are set.
func (p *Plan) environ(s Spec, h *Host) {
	set := map[string]string{
		"PATH":     strings.Join(s.Path, ":"),
		NameVar:    s.Name,
		ProjectVar: s.Project,
	}
	if h.hasTerminfo() {
		set["TERMINFO_DIRS"] = "/etc/terminfo:/usr/share/terminfo"
	}
	maps.Copy(set, s.Env)
	for _, name := range slices.Sorted(maps.Keys(set)) {
		p.EnvSet = append(p.EnvSet, name+"="+set[name])
	}
	p.EnvDrop = append(slices.Clone(Dropped), s.Unset...)
	if s.Pure {
		p.EnvKeep = Kept
	}
}

// Passes reports whether a variable of the host passes into an environment.
func Passes(name string) bool {
	return !slices.ContainsFunc(Dropped, func(pattern string) bool {
		if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
			return strings.HasPrefix(name, prefix)
		}
		return name == pattern
	})
}
