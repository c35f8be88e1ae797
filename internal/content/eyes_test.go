package content

import (
	"os"
	"path/filepath"
	"testing"
)

// writeForEyes keeps a picture where PLATEN_LOOK names a directory, to be looked at.
func writeForEyes(t *testing.T, name string, file []byte) {
	t.Helper()
	dir := os.Getenv("PLATEN_LOOK")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name), file, 0o600); err != nil {
		t.Fatal(err)
	}
}
