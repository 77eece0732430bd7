//go:build !amd64

package native

// code: on this architecture launchers are scripts.
func code() (text []byte, ok bool) { return nil, false }
