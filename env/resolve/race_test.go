//go:build race

package resolve

// raceEnabled: the race detector makes everything several times slower, so that
// times say nothing.
const raceEnabled = true
