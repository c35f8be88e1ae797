package server

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// layers are the house of ARCHITECTURE.md, from the ground up. A package imports
// only from layers below its own.
var layers = [][]string{
	{"internal/fault"},
	{"examples", "liquid", "internal/event", "internal/outbound", "internal/loosejson", "internal/nearest", "internal/reply"},
	{"internal/profile", "internal/mapping", "internal/render", "internal/workspace", "internal/payload", "internal/catalog"},
	{"internal/filter"},
	{"internal/personalize"},
	{"internal/campaign", "internal/block"},
	{"internal/document"},
	{"internal/ingest", "internal/planner", "internal/delivery", "internal/asset", "internal/engagement"},
	{"internal/store/sqlite", "internal/store/storetest"},
	{"internal/collector", "internal/engage", "internal/content"},
	{"internal/manage"},
	{"internal/server"},
	{"internal/demo", "internal/bench", "test/crash"},
	{"cmd/platen"},
}

func TestPackagesImportOnlyFromLowerLayers(t *testing.T) {
	floor := map[string]int{}
	for i, packages := range layers {
		for _, p := range packages {
			floor["platen/"+p] = i
		}
	}
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "platen/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	d := json.NewDecoder(strings.NewReader(string(out)))
	seen := 0
	for d.More() {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		seen++
		own, known := floor[p.ImportPath]
		if !known {
			t.Errorf("%s has no place in the house: give it a layer here and in ARCHITECTURE.md", p.ImportPath)
			continue
		}
		for _, imported := range p.Imports {
			if below, ours := floor[imported]; ours && below >= own {
				t.Errorf("%s (layer %d) imports %s (layer %d)", p.ImportPath, own, imported, below)
			}
		}
	}
	if seen < 10 {
		t.Errorf("go list told of %d packages only", seen)
	}
}
