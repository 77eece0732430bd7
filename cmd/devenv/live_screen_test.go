package main_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// window is a program that shows one of colour 0x336699 and ends well when there
// is a file "enough".
type window struct{ toolkit, pc, source string }

var windows = []window{
	{"GTK", "gtk+-3.0", `#include <gtk/gtk.h>
#include <unistd.h>
static gboolean draw(GtkWidget *w, cairo_t *c, gpointer d) {
	cairo_set_source_rgb(c, 0x33 / 255.0, 0x66 / 255.0, 0x99 / 255.0);
	cairo_paint(c);
	return FALSE;
}
static gboolean look(gpointer w) {
	if (access("enough", F_OK) == 0) gtk_main_quit();
	return TRUE;
}
int main(int c, char **v) {
	gtk_init(&c, &v);
	GtkWidget *w = gtk_window_new(GTK_WINDOW_TOPLEVEL), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0), *area = gtk_drawing_area_new();
	gtk_window_set_title(GTK_WINDOW(w), "shown by GTK");
	gtk_window_set_default_size(GTK_WINDOW(w), 300, 200);
	gtk_box_pack_start(GTK_BOX(box), gtk_image_new_from_icon_name("edit-copy", GTK_ICON_SIZE_DIALOG), FALSE, FALSE, 0);
	gtk_box_pack_start(GTK_BOX(box), gtk_label_new("text"), FALSE, FALSE, 0);
	gtk_box_pack_start(GTK_BOX(box), area, TRUE, TRUE, 0);
	g_signal_connect(area, "draw", G_CALLBACK(draw), NULL);
	gtk_container_add(GTK_CONTAINER(w), box);
	gtk_widget_show_all(w);
	g_timeout_add(50, look, w);
	gtk_main();
	return 0;
}
`},
	{"SDL", "sdl2", `#include <SDL.h>
#include <string.h>
#include <unistd.h>
int main(int c, char **v) {
	if (SDL_Init(SDL_INIT_VIDEO) || strcmp(SDL_GetCurrentVideoDriver(), "x11")) return 3;
	SDL_Window *w = SDL_CreateWindow("shown by SDL", 10, 10, 300, 200, SDL_WINDOW_SHOWN);
	if (!w) return 4;
	while (access("enough", F_OK)) {
		SDL_Event e;
		while (SDL_PollEvent(&e)) {}
		SDL_Surface *s = SDL_GetWindowSurface(w);
		if (!s || SDL_FillRect(s, NULL, SDL_MapRGB(s->format, 0x33, 0x66, 0x99)) || SDL_UpdateWindowSurface(w)) return 5;
		SDL_Delay(50);
	}
	SDL_Quit();
	return 0;
}
`},
}

// shows compiles a program inside and runs it on an X server that runs inside,
// too, until its window is mapped and its colour is on the screen: the X server
// keeps that in a file.
func (p *realPlace) shows(w window) {
	p.t.Helper()
	name := strings.ToLower(w.toolkit)
	p.inside("mkdir " + name)
	p.write(name+"/w.c", w.source)
	p.inside("cd " + name + "; pkg-config --exists --print-errors " + w.pc + "; gcc w.c -o w $(pkg-config --cflags --libs " + w.pc + ")")
	cmd := p.command("run", "--ephemeral", "--", "bash", "-c", fmt.Sprintf(`set -e; cd %s
n=$((1000 + RANDOM)); Xvfb :$n -fbdir . -screen 0 640x480x24 2>xvfb.log & x=$!; trap 'kill $x; wait' EXIT
for i in $(seq 600); do [ -S /tmp/.X11-unix/X$n ] && break; kill -0 $x; sleep 0.1; done
export DISPLAY=:$n SDL_VIDEODRIVER=x11 SDL_FRAMEBUFFER_ACCELERATION=0 GDK_BACKEND=x11 NO_AT_BRIDGE=1
./w & w=$!
for i in $(seq 600); do xwininfo -name "shown by %s" > info 2>/dev/null && grep -q IsViewable info && break; kill -0 $w; sleep 0.1; done
cp info mapped; wait $w`, name, w.toolkit))
	ended := make(chan result, 1)
	go func() { ended <- resultOf(p.t, cmd) }()
	screen := filepath.Join(p.project, name, "Xvfb_screen0")
	limit := time.Now().Add(2 * time.Minute)
	seen := 0
	for seen < 10000 {
		select {
		case r := <-ended:
			log, _ := os.ReadFile(filepath.Join(p.project, name, "xvfb.log"))
			p.t.Fatalf("ended before its window was seen: %v\n%s", r, log)
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(limit) {
			p.t.Error("its colour did not come onto the screen")
			break
		}
		if _, err := os.Stat(filepath.Join(p.project, name, "mapped")); err == nil {
			seen, _ = countPixels(screen, 0x336699)
		}
	}
	p.write(name+"/enough", "")
	if r := <-ended; r.code != 0 {
		p.t.Errorf("%v", r)
	}
	if got := p.read(name + "/mapped"); !strings.Contains(got, "Map State: IsViewable") {
		p.t.Errorf("the window is not mapped: %s", got)
	}
	p.t.Logf("%d pixels", seen)
}

// countPixels counts those of one colour in a screen of 24 bits, which Xvfb keeps
// in the form of xwd(1).
func countPixels(file string, colour uint32) (n int, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	field := func(i int) uint32 { return binary.BigEndian.Uint32(text[4*i:]) }
	if len(text) < 100 || field(1) != 7 || field(11) != 32 {
		return 0, errors.New("no screen of 32 bits a pixel")
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if field(7) == 1 {
		order = binary.BigEndian
	}
	pixels := text[min(int(field(0)+12*field(19)), len(text)):]
	for ; len(pixels) >= 4; pixels = pixels[4:] {
		if order.Uint32(pixels)&0xffffff == colour {
			n++
		}
	}
	return n, nil
}
