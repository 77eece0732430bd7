package env

import (
	"os"
	"path/filepath"
	"strings"
)

// gitDirs lists the git directories of a project that lie outside of it: of a
// worktree, of a submodule, or of a repository that the project is a part of
// (gitrepository-layout(5)). With a private home a commit would be lost
// otherwise, while the files that it is of stay.
func gitDirs(project string) []string {
	dir := project
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			break
		}
		if dir == "/" {
			return nil
		}
	}
	git := filepath.Join(dir, ".git")
	if link := firstLine(git); link != "" {
		git = beside(dir, strings.TrimPrefix(link, "gitdir: "))
	}
	dirs := []string{git}
	if common := firstLine(filepath.Join(git, "commondir")); common != "" {
		dirs = append(dirs, beside(git, common))
	}
	var out []string
	for _, d := range dirs {
		real, err := filepath.EvalSymlinks(d)
		if err == nil && real != project && !strings.HasPrefix(real, project+"/") {
			out = append(out, real)
		}
	}
	return out
}

// beside is a path that is relative to a directory, or absolute.
func beside(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// firstLine is that of a small file, "" if it is none.
func firstLine(name string) string {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > 1<<16 {
		return ""
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSpace(line)
}
