package alpm

import (
	"archive/tar"
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var gccLocal = func() *LocalPackage {
	info, err := ReadPkgInfo(strings.NewReader(gccPkgInfo))
	if err != nil {
		panic(err)
	}
	return &LocalPackage{PkgInfo: *info, InstallDate: 1710000000, Reason: Depended, Validation: []Validation{ValidatedPGP, ValidatedSHA256}}
}

const gccLocalDesc = `%NAME%
gcc

%VERSION%
14.2.1+r753-1

%BASE%
gcc

%DESC%
The GNU = Compiler Collection

%URL%
https://gcc.gnu.org

%ARCH%
x86_64

%BUILDDATE%
1700000000

%INSTALLDATE%
1710000000

%PACKAGER%
A <a@b>

%SIZE%
190000000

%REASON%
1

%GROUPS%
base-devel

%LICENSE%
GPL
custom: x

%VALIDATION%
sha256
pgp

%REPLACES%
gcc-old

%DEPENDS%
gcc-libs=14.2.1+r753-1
binutils>=2.28

%OPTDEPENDS%
lib32-gcc-libs: for 32 bit

%CONFLICTS%
gcc-old<3

%PROVIDES%
cc
libgo.so=23-64

%XDATA%
pkgtype=split

`

func TestLocalDesc(t *testing.T) {
	var b bytes.Buffer
	if err := WriteLocalDesc(&b, gccLocal()); err != nil || b.String() != gccLocalDesc {
		t.Errorf("wrote\n%s, %v; want\n%s", b.String(), err, gccLocalDesc)
	}
	got, err := ReadLocalDesc(&b)
	if err != nil {
		t.Fatal(err)
	}
	want := gccLocal()
	want.Backup, want.MakeDepends, want.CheckDepends = nil, nil, nil // desc does not have them
	want.Validation = []Validation{ValidatedSHA256, ValidatedPGP}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read\n%+v, want\n%+v", got, want)
	}
	if got.LocalDir() != "gcc-14.2.1+r753-1" {
		t.Errorf("directory %q", got.LocalDir())
	}
}

func TestLocalFiles(t *testing.T) {
	files, backup := []string{"usr/bin/b", "usr/", "usr/bin/", "usr/bin/a b"}, []Backup{{"etc/a", "00ff"}, {"etc/b", "(null)"}}
	var b bytes.Buffer
	want := "%FILES%\nusr/\nusr/bin/\nusr/bin/a b\nusr/bin/b\n\n%BACKUP%\netc/a\t00ff\netc/b\t(null)\n\n"
	if err := WriteLocalFiles(&b, files, backup); err != nil || b.String() != want {
		t.Errorf("wrote\n%s, %v; want\n%s", b.String(), err, want)
	}
	gotFiles, gotBackup, err := ReadLocalFiles(&b)
	if err != nil || !reflect.DeepEqual(gotBackup, backup) || len(gotFiles) != 4 || gotFiles[3] != "usr/bin/b" {
		t.Errorf("read %q, %v, %v", gotFiles, gotBackup, err)
	}
	b.Reset()
	if err := WriteLocalFiles(&b, nil, nil); err != nil || b.Len() != 0 {
		t.Errorf("of no files: %q, %v", b.String(), err)
	}
}

// TestLocalAgreesWithPacman lets pacman install a package and compares its
// entry with ours, byte for byte.
func TestLocalAgreesWithPacman(t *testing.T) {
	pacman, err := exec.LookPath("pacman")
	if err != nil {
		t.Skip("pacman is not installed (Debian: pacman-package-manager): no peer to compare with")
	}
	root := t.TempDir()
	info := strings.ReplaceAll(gccPkgInfo, "xdata = pkgtype=split\n", "") // since pacman 6.1
	conf := "x = y\n"
	paths := []member{
		{name: ".PKGINFO", body: info}, {name: ".INSTALL", body: "post_install() { :; }\n"},
		{name: "usr/", kind: tar.TypeDir}, {name: "usr/z z", body: "z"}, {name: "usr/a::b", body: "a"},
		{name: "etc/", kind: tar.TypeDir}, {name: "etc/gcc.conf", body: conf},
	}
	file := filepath.Join(root, "gcc-14.2.1+r753-1-x86_64.pkg.tar.gz")
	config := filepath.Join(root, "pacman.conf")
	dbpath := filepath.Join(root, "root/var/lib/pacman")
	for name, text := range map[string]string{file: string(gzipped(tarOf(t, tar.FormatPAX, paths...))), config: "[options]\nArchitecture = x86_64\nSigLevel = Never\nLocalFileSigLevel = Never\n"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(dbpath, 0o755); err != nil {
		t.Fatal(err)
	}
	args := []string{pacman, "--config", config, "--root", filepath.Join(root, "root"), "--dbpath", dbpath,
		"--cachedir", root, "--hookdir", root, "--logfile", filepath.Join(root, "log"), "--noconfirm", "--noscriptlet", "-Udd", "--asdeps", file}
	if os.Getuid() != 0 {
		args = append([]string{"unshare", "--map-root-user"}, args...)
	}
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		if os.Getuid() != 0 {
			t.Skipf("pacman cannot install here without root: %v\n%s", err, out)
		}
		t.Fatalf("%v\n%s", err, out)
	}
	entry := filepath.Join(dbpath, "local", "gcc-14.2.1+r753-1")
	theirs := readFile(t, entry, "desc")
	installed, err := ReadLocalDesc(strings.NewReader(theirs))
	if err != nil {
		t.Fatal(err)
	}
	p, err := ReadPkgInfo(strings.NewReader(info))
	if err != nil {
		t.Fatal(err)
	}
	var ours bytes.Buffer
	WriteLocalDesc(&ours, &LocalPackage{PkgInfo: *p, InstallDate: installed.InstallDate, Reason: Depended, Validation: []Validation{ValidatedNone}})
	if ours.String() != theirs {
		t.Errorf("desc:\n%s\npacman's:\n%s", ours.String(), theirs)
	}
	ours.Reset()
	sum := md5.Sum([]byte(conf))
	WriteLocalFiles(&ours, []string{"usr/", "usr/z z", "usr/a::b", "etc/", "etc/gcc.conf"}, []Backup{{"etc/gcc.conf", hex.EncodeToString(sum[:])}})
	if theirs := readFile(t, entry, "files"); ours.String() != theirs {
		t.Errorf("files:\n%s\npacman's:\n%s", ours.String(), theirs)
	}
	if got := readFile(t, filepath.Join(dbpath, "local"), "ALPM_DB_VERSION"); got != LocalVersion {
		t.Errorf("pacman's version of the local database is %q, ours %q", got, LocalVersion)
	}
	if readFile(t, entry, "install") != paths[1].body {
		t.Error("install is not .INSTALL as it is")
	}
}

func readFile(t *testing.T, dir, name string) string {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
