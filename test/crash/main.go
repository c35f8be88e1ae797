// Command crash kills the server at random moments while clients write, and then
// accounts for everything: each acknowledged event is stored exactly once, each
// trigger hit became one delivery, each delivery is done or still queued, and no
// message was ever sent under two ids.
//
// It prints what it counted and exits non-zero when anything is missing.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

func main() {
	rounds := flag.Int("rounds", 50, "how often the server is killed")
	clients := flag.Int("clients", 20, "clients that write at the same time")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the moments at which the server is killed")
	data := flag.String("data", "", "directory for the store (default: a new one, removed afterwards)")
	flag.Parse()
	if err := run(*rounds, *clients, *seed, *data); err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

func run(rounds, clients int, seed uint64, data string) (err error) {
	fmt.Printf("killing the server %d times while %d clients write (seed %d)\n", rounds, clients, seed)
	if data == "" {
		if data, err = os.MkdirTemp(".", "crash-"); err != nil {
			return err
		}
		defer os.RemoveAll(data)
	}
	r := &rig{
		data: filepath.Join(data, "store"), program: filepath.Join(data, "platen"),
		random: rand.New(rand.NewPCG(seed, 0)), receiver: newReceiver(), ledger: newLedger(),
	}
	defer r.receiver.close()
	build := exec.Command("go", "build", "-o", r.program, "./cmd/platen")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build the server: %w", err)
	}
	if err := r.apply(); err != nil {
		return err
	}
	for round := range rounds {
		if err := r.round(round, clients); err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
	}
	if err := r.drain(clients); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return r.account(ctx)
}
