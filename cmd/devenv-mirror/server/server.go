package server

import (
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// Handler serves the files under a directory.
type Handler struct {
	root  *os.Root
	rate  int64 // bytes per second for each response; 0: as fast as it goes
	fault *Fault
}

// New serves dir. Symbolic links that leave dir are not followed.
func New(dir string, rate int64, fault *Fault) (*Handler, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Handler{root: root, rate: rate, fault: fault}, nil
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "this server only gives", http.StatusMethodNotAllowed)
		return
	}
	if h.rate > 0 {
		w = &slowWriter{ResponseWriter: w, rate: h.rate, start: time.Now()}
	}
	if h.fault != nil {
		if w = h.fault.wrap(w, r); w == nil {
			return
		}
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if name == "" {
		name = "."
	}
	if hidden(name) {
		http.NotFound(w, r)
		return
	}
	f, err := h.root.Open(name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if !info.IsDir() {
		serveFile(w, r, f, info)
		return
	}
	if !strings.HasSuffix(r.URL.Path, "/") {
		http.Redirect(w, r, escape(path.Base(r.URL.Path))+"/", http.StatusMovedPermanently)
		return
	}
	h.index(w, r, name)
}

// hidden tells what is not for the public: the mirror's keys and notes. The
// archive's .all is.
func hidden(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") && part != "." && part != ".all" {
			return true
		}
	}
	return false
}

func serveFile(w http.ResponseWriter, r *http.Request, f *os.File, info fs.FileInfo) {
	// nginx's validator: the time and the size in hexadecimal.
	w.Header().Set("ETag", fmt.Sprintf(`"%x-%x"`, info.ModTime().Unix(), info.Size()))
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", info.ModTime(), f)
}

// index writes a page as nginx does: names cut at 50 characters in the text,
// whole in the link, directories first.
func (h *Handler) index(w http.ResponseWriter, r *http.Request, name string) {
	entries, err := fs.ReadDir(h.root.FS(), name)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	slices.SortStableFunc(entries, func(a, b fs.DirEntry) int {
		if a.IsDir() != b.IsDir() {
			if a.IsDir() {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name(), b.Name())
	})
	var page strings.Builder
	title := "Index of " + htmlEscaper.Replace(r.URL.Path)
	fmt.Fprintf(&page, "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<h1>%s</h1><hr><pre><a href=\"../\">../</a>\r\n", title, title)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue // nginx leaves them out, the archive's .all too
		}
		info, err := h.root.Stat(path.Join(name, e.Name()))
		if err != nil {
			continue // gone meanwhile, or a link that leads out
		}
		writeLine(&page, e.Name(), info)
	}
	page.WriteString("</pre><hr></body>\r\n</html>\r\n")
	w.Header().Set("Content-Type", "text/html")
	if r.Method == http.MethodGet {
		io.WriteString(w, page.String())
	}
}

const textWidth = 50

func writeLine(page *strings.Builder, name string, info fs.FileInfo) {
	text, size := name, fmt.Sprint(info.Size())
	if info.IsDir() {
		name, text, size = name+"/", text+"/", "-"
	}
	if runes := []rune(text); len(runes) > textWidth {
		text = string(runes[:textWidth-3]) + "..>"
	}
	padding := strings.Repeat(" ", textWidth-len([]rune(text)))
	fmt.Fprintf(page, "<a href=\"%s\">%s</a>%s %s %19s\r\n", escape(name), htmlEscaper.Replace(text), padding,
		info.ModTime().UTC().Format("02-Jan-2006 15:04"), size)
}

var htmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

// escape writes a name as nginx does in the links of an index: a colon is
// escaped, since "a:b" would be read as a scheme, a plus is not.
func escape(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c <= ' ' || c >= 0x7f || strings.IndexByte(`"#%:?<>\^{|}`+"`", c) >= 0:
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// slowWriter gives no more than rate bytes a second: each piece when its time
// has come.
type slowWriter struct {
	http.ResponseWriter
	rate, sent int64
	start      time.Time
}

func (s *slowWriter) Write(p []byte) (int, error) {
	const step = 16 << 10
	written := 0
	for len(p) > 0 {
		piece := p[:min(step, len(p))]
		s.sent += int64(len(piece))
		due := s.start.Add(time.Duration(float64(s.sent) / float64(s.rate) * float64(time.Second)))
		if wait := time.Until(due); wait > 0 {
			if f, ok := s.ResponseWriter.(http.Flusher); ok {
				f.Flush()
			}
			time.Sleep(wait)
		}
		n, err := s.ResponseWriter.Write(piece)
		written += n
		if err != nil {
			return written, err
		}
		p = p[n:]
	}
	return written, nil
}
