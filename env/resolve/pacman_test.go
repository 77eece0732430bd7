package resolve

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"devenv/layers/alpm"
)

// pacmanRoot is an empty root whose sync databases are those of a set.
type pacmanRoot struct {
	dir         string
	transaction sync.Mutex
}

// newPacmanRoot makes one. Many questions are answered faster from databases
// that lie there unpacked.
func newPacmanRoot(t testing.TB, set dataSet, unpack bool) *pacmanRoot {
	t.Helper()
	if _, err := exec.LookPath("pacman"); err != nil {
		t.Skip("pacman is not installed: nothing to compare with")
	}
	source, dir := set.dir(t), t.TempDir()
	for _, sub := range []string{"root", "db/sync", "db/local", "cache"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	conf := fmt.Sprintf("[options]\nArchitecture = %s\nSigLevel = Never\nVerbosePkgLists\n", set.arch)
	for _, repo := range set.repos {
		data, err := os.ReadFile(filepath.Join(source, repo+".db"))
		if err == nil && unpack {
			data, err = gunzip(data)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "db/sync", repo+".db"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		conf += fmt.Sprintf("[%s]\nServer = file:///nowhere\n", repo)
	}
	if err := os.WriteFile(filepath.Join(dir, "pacman.conf"), []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "db/local/ALPM_DB_VERSION"), []byte("9\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return &pacmanRoot{dir: dir}
}

func gunzip(data []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// print asks as pacman -Sp does: its answer, sorted, or what it said in
// refusing. In this mode pacman looks at no conflicts (ALPM_TRANS_FLAG_NOCONFLICTS).
func (r *pacmanRoot) print(t testing.TB, names []string) (answer []string, refusal string) {
	t.Helper()
	out, refusal := r.run(t, nil, append([]string{"-Sp", "--print-format", "%n %v %r", "--"}, names...))
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); strings.Count(line, " ") == 2 && !strings.HasPrefix(line, "::") {
			answer = append(answer, line)
		}
	}
	slices.Sort(answer)
	return answer, refusal
}

// transact asks for a real installation, conflicts and all, and reads the
// answer from the list that pacman shows before it finds that there is nothing
// to download.
func (r *pacmanRoot) transact(t testing.TB, names []string) (answer []string, refusal string) {
	t.Helper()
	r.transaction.Lock()
	defer r.transaction.Unlock()
	out, refusal := r.run(t, asRoot(), append([]string{"-S", "--"}, names...))
	for line := range strings.Lines(out) {
		field := strings.Fields(line)
		repo, name, ok := strings.Cut(line, "/")
		if ok && len(field) > 2 && !strings.Contains(repo, " ") && strings.HasSuffix(field[len(field)-1], "B") {
			name, _, _ = strings.Cut(name, " ")
			answer = append(answer, name+" "+field[1]+" "+repo)
		}
	}
	slices.Sort(answer)
	if len(answer) > 0 {
		refusal = "" // it had an answer, and failed only to fetch it
	}
	return answer, refusal
}

// asRoot is what to put before a command that wants to be root.
func asRoot() []string {
	if os.Geteuid() == 0 {
		return nil
	}
	return []string{"unshare", "--user", "--map-root-user"}
}

func (r *pacmanRoot) run(t testing.TB, before, args []string) (out, refusal string) {
	t.Helper()
	args = append([]string{"pacman", "--noconfirm", "--config", filepath.Join(r.dir, "pacman.conf"),
		"--dbpath", filepath.Join(r.dir, "db"), "--root", filepath.Join(r.dir, "root"),
		"--cachedir", filepath.Join(r.dir, "cache"), "--logfile", filepath.Join(r.dir, "log")}, args...)
	args = append(before, args...)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if err != nil {
		refusal = strings.TrimSpace(stderr.String() + stdout.String())
	}
	return stdout.String(), refusal
}

func ask(repos []*Repo, arch string, names []string) (*Solution, error) {
	req := Request{Arch: arch, Repos: repos}
	for _, name := range names {
		req.Wants = append(req.Wants, Want{Name: name, Origin: name})
	}
	return Solve(context.Background(), req)
}

func lines(s *Solution) []string {
	var out []string
	for _, c := range s.Packages {
		out = append(out, c.Name+" "+c.Version+" "+c.Repo)
	}
	slices.Sort(out)
	return out
}

// requester makes requests of one to eight names, provides and groups. Most of
// them can be had alone, as otherwise a set in which much is missing would be
// asked nothing but what is refused.
type requester struct {
	rand                    *rand.Rand
	names, provides, groups []string
	repoOf, versionOf       map[string]string
	alone                   func(name string) bool
}

func newRequester(repos []*Repo, arch string, seed uint64) *requester {
	q := &requester{rand: rand.New(rand.NewPCG(seed, 4)), repoOf: make(map[string]string), versionOf: make(map[string]string)}
	q.alone = func(name string) bool {
		req := &Request{Arch: arch, Repos: repos, Wants: []Want{{Name: name}}}
		r, err := newResolution(context.Background(), req, newArchive(context.Background(), nil))
		return err == nil && tryGreedy(r.pool, r.wants) != nil
	}
	for _, r := range repos {
		for p := range r.Index.All() {
			q.names = append(q.names, p.Name)
			q.repoOf[p.Name], q.versionOf[p.Name] = r.Name, p.Version
			q.groups = append(q.groups, p.Groups...)
			for _, d := range p.Provides {
				q.provides = append(q.provides, d.Name, d.String())
			}
		}
	}
	for _, list := range []*[]string{&q.names, &q.provides, &q.groups} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return q
}

func (q *requester) next() []string {
	out := make([]string, 1+q.rand.IntN(8))
	pick := func(from []string) string {
		name := from[q.rand.IntN(len(from))]
		for try := q.rand.IntN(8); try > 0 && !q.alone(name); try-- {
			name = from[q.rand.IntN(len(from))]
		}
		return name
	}
	for i := range out {
		switch n := q.rand.IntN(20); {
		case n < 12:
			out[i] = pick(q.names)
		case n < 13:
			out[i] = pick(q.names)
			out[i] = q.repoOf[out[i]] + "/" + out[i]
		case n < 14:
			out[i] = pick(q.names)
			out[i] += []string{"=", ">=", "<", ">"}[q.rand.IntN(4)] + q.versionOf[out[i]]
		case n < 18:
			out[i] = pick(q.provides)
		default:
			out[i] = pick(q.groups)
		}
	}
	return out
}

// TestPacmanAgrees compares with the real pacman on real databases. Where its
// quick print mode differs, its full transaction is asked, too. What then still
// differs must be of a kind in which devenv is right, and is checked.
func TestPacmanAgrees(t *testing.T) {
	perSet := 500
	if testing.Short() {
		perSet = 40
	}
	for _, set := range dataSets {
		t.Run(set.name, func(t *testing.T) { agree(t, set, perSet) })
	}
}

// TestPacmanForeignArch asks for packages that are there for another
// architecture only.
func TestPacmanForeignArch(t *testing.T) {
	set := dataSets[1]
	set.arch = "armv7h"
	agree(t, set, 30)
}

func agree(t *testing.T, set dataSet, count int) {
	root, repos := newPacmanRoot(t, set, true), set.load(t)
	q := newRequester(repos, set.arch, 20260101)
	tally := comparison{root: root, repos: repos, arch: set.arch, why: make(map[string]int)}
	var work sync.WaitGroup
	next := make(chan []string)
	for range 2 {
		work.Go(func() {
			for names := range next {
				tally.compare(t, names)
			}
		})
	}
	for range count {
		next <- q.next()
	}
	close(next)
	work.Wait()
	t.Logf("%s, %s: agreed %d of %d requests, %d of them refused by both", set.name, set.arch, tally.agreed, count, tally.refused)
	for why, n := range tally.why {
		t.Logf("%4d differ: %s", n, why)
	}
}

// comparison counts, over many requests.
type comparison struct {
	root  *pacmanRoot
	repos []*Repo
	arch  string

	sync.Mutex
	agreed, refused int
	why             map[string]int
}

// The kinds of differences that there may be.
const (
	printMode   = "pacman -Sp does not look at conflicts; its full transaction answers as devenv does"
	lookedBack  = "pacman took the first provider and met a conflict; devenv found an answer with another"
	otherNeeds  = "pacman took the first provider, whose own needs cannot be met; devenv found an answer with another"
	twice       = "pacman takes one package for two targets of the same name for an error"
	foreignDeps = "pacman looks at the architecture of targets only, and would install foreign dependencies"
)

func (c *comparison) compare(t *testing.T, names []string) {
	theirs, refusal := c.root.print(t, names)
	solution, err := ask(c.repos, c.arch, names)
	var ours []string
	if err == nil {
		ours = lines(solution)
	}
	same := func() bool { return (err != nil) == (refusal != "") && slices.Equal(ours, theirs) }
	why := ""
	if !same() {
		if theirs, refusal = c.root.transact(t, names); same() {
			why = printMode
		} else {
			why = c.explain(names, solution, err, refusal, theirs)
		}
	}
	c.Lock()
	defer c.Unlock()
	switch {
	case why != "":
		c.why[why]++
	case !same():
		t.Errorf("%q: pacman %d packages %s; devenv %d packages, %v\nonly pacman: %q\nonly devenv: %q",
			names, len(theirs), refusal, len(ours), err, without(theirs, ours), without(ours, theirs))
	default:
		c.agreed++
		if err != nil {
			c.refused++
		}
	}
}

// explain names the reason for which devenv is right, or nothing.
func (c *comparison) explain(names []string, s *Solution, err error, refusal string, theirs []string) string {
	if err == nil && faults(s, c.repos, names) != nil {
		return ""
	}
	if refusal == "" && slices.ContainsFunc(theirs, c.foreign) {
		return foreignDeps
	}
	if refusal == "" || err != nil {
		return ""
	}
	switch {
	case strings.Contains(refusal, "in conflict"):
		return lookedBack
	case strings.Contains(refusal, "unable to satisfy dependency"):
		return otherNeeds
	case strings.Contains(refusal, "duplicate target"):
		return twice
	}
	return ""
}

func (c *comparison) foreign(line string) bool {
	name, _, _ := strings.Cut(line, " ")
	for _, r := range c.repos {
		if p := r.Index.Lookup(name); p != nil {
			return p.Arch != "any" && p.Arch != c.arch
		}
	}
	return false
}

func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

// faults checks a solution by itself, in the plainest way.
func faults(s *Solution, repos []*Repo, names []string) (out []string) {
	has := func(d alpm.Dep) bool {
		return slices.ContainsFunc(s.Packages, func(c Chosen) bool { return c.Satisfies(d) })
	}
	for i, c := range s.Packages {
		if i > 0 && s.Packages[i-1].Name == c.Name {
			out = append(out, c.Name+" is there twice")
		}
		for _, d := range c.Depends {
			if !has(d) {
				out = append(out, fmt.Sprintf("%s lacks %s", c.Name, d))
			}
		}
		for _, d := range c.Conflicts {
			for _, o := range s.Packages {
				if o.Name != c.Name && o.Satisfies(d) {
					out = append(out, fmt.Sprintf("%s is in conflict with %s", c.Name, o.Name))
				}
			}
		}
	}
	for _, name := range names {
		if _, rest, ok := strings.Cut(name, "/"); ok {
			name = rest
		}
		if d, err := alpm.ParseDep(name); err == nil && has(d) {
			continue
		}
		grouped := false
		for _, r := range repos {
			for _, p := range r.Index.Group(name) {
				grouped = true
				if !has(alpm.Dep{Name: p.Name}) {
					out = append(out, name+" lacks "+p.Name)
				}
			}
		}
		if !grouped {
			out = append(out, name+" is not met")
		}
	}
	return out
}
