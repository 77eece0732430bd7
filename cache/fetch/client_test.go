package fetch

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func TestOfflineRefusesTheNetworkOnly(t *testing.T) {
	data, dir := noise(50), t.TempDir()
	s := serve(t, data)
	c := New(FromEnv(func(string) string { return "1" }))
	_, err := c.Get(context.Background(), Request{URLs: []string{s.URL + "/f"}, Dest: dir + "/cache/f"})
	wantWords(t, err, s.URL, "DEVENV_OFFLINE")
	if !errors.As(err, new(*OfflineError)) || len(s.requests()) > 0 {
		t.Errorf("%#v", err)
	}
	if err := os.WriteFile(dir+"/here", data, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(context.Background(), Request{URLs: []string{s.URL + "/f", dir + "/here"}, Dest: dir + "/cache/f"}); err != nil {
		t.Error(err)
	}
	if FromEnv(func(string) string { return "0" }).Offline {
		t.Error("0 means no")
	}
}

func TestManyGetTheSameFile(t *testing.T) {
	data := noise(2_000_000)
	s := serve(t, data, drop(500_000))
	dest := filepath.Join(t.TempDir(), "f")
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if _, err := client().Get(context.Background(), Request{URLs: []string{s.URL + "/f"}, Dest: dest, SHA256: sumOf(data)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	wantFile(t, dest, data)
	if n := len(s.requests()); n != 2 {
		t.Errorf("%d requests", n)
	}
}

func TestParallelIsALimit(t *testing.T) {
	var mu sync.Mutex
	var now, most int
	data := noise(10)
	s := serve(t, data)
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		time.Sleep(5 * time.Millisecond)
		mu.Lock()
		now--
		mu.Unlock()
		w.Write(data)
	})
	c := New(Options{Parallel: 3})
	dir := t.TempDir()
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if _, err := c.Get(context.Background(), Request{URLs: []string{s.URL + "/f"}, Dest: filepath.Join(dir, string(rune('a'+i)))}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most != 3 {
		t.Errorf("%d at once", most)
	}
}

func TestPauses(t *testing.T) {
	c := New(Options{Backoff: 100 * time.Millisecond})
	for n, want := range []time.Duration{100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000} {
		want *= time.Millisecond
		if got := c.pause(n, errors.New("x")); got < want || got > want*3/2+1 {
			t.Errorf("pause %d is %v, want about %v", n, got, want)
		}
	}
	now := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{"": 0, "7": 7 * time.Second, "-7": 0, "x": 0, "Mon, 01 Jan 2024 00:00:30 GMT": 30 * time.Second, "Sun, 31 Dec 2023 00:00:00 GMT": 0} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
	if got := c.pause(0, &StatusError{Code: 503, RetryAfter: 3 * time.Second}); got != 3*time.Second {
		t.Errorf("Retry-After gives %v", got)
	}
}
