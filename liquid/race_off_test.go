//go:build !race

package liquid

// underRace says that the race detector is on.
const underRace = false
