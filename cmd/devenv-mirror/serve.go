package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"devenv/cmd/devenv-mirror/server"
)

func serve() *cli.Command {
	return &cli.Command{
		Name:      "serve",
		Usage:     "serve a mirror over HTTP",
		ArgsUsage: "DIR",
		Description: `The first line on standard output is the server's URL; it serves until it is interrupted.

   devenv-mirror serve /srv/mirror
   devenv-mirror serve --addr 127.0.0.1:8080 --rate 5MB/s /srv/mirror
   devenv-mirror serve --fault 'drop=100000:*.pkg.tar.zst' /srv/mirror`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "addr", Usage: "`HOST:PORT` to listen on; port 0 takes a free one", Value: "127.0.0.1:0"},
			&cli.StringFlag{Name: "rate", Usage: "give each response no more than this, such as 50MB/s"},
			&cli.StringFlag{Name: "fault", Usage: "fail on purpose: drop=BYTES, truncate or 500=N, with :GLOB for some files only"},
		},
		Action: runServe,
	}
}

func runServe(c *cli.Context) error {
	dir, err := onlyArgument(c, "DIR")
	if err != nil {
		return err
	}
	rate, err := parseRate(c.String("rate"))
	if err != nil {
		return err
	}
	var fault *server.Fault
	if f := c.String("fault"); f != "" {
		if fault, err = server.ParseFault(f); err != nil {
			return err
		}
	}
	handler, err := server.New(dir, rate, fault)
	if err != nil {
		return fmt.Errorf("%w; make a mirror first: devenv-mirror from-debian %s", err, dir)
	}
	listener, err := net.Listen("tcp", c.String("addr"))
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "http://%s\n", listener.Addr())
	s := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-c.Context.Done()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		s.Shutdown(ctx)
	}()
	if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// parseRate reads "50MB/s", "500k" or a number of bytes a second; 0 for "".
func parseRate(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	number := strings.TrimRight(strings.TrimSuffix(strings.TrimSuffix(s, "/s"), "B"), "kMG")
	unit := strings.TrimSuffix(strings.TrimSuffix(s[len(number):], "/s"), "B")
	n, err := strconv.ParseFloat(number, 64)
	scale, ok := map[string]float64{"": 1, "k": 1e3, "M": 1e6, "G": 1e9}[unit]
	if err != nil || !ok || n <= 0 {
		return 0, fmt.Errorf("rate %q: write it as 50MB/s or 500kB/s", s)
	}
	return int64(n * scale), nil
}
