//go:build race

package liquid

// underRace says that the race detector is on, which allocates for itself and
// makes pools forget.
const underRace = true
