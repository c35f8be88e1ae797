package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Door tells the commands of the same machine how to reach a running server.
type Door struct {
	URL   string `json:"url"`
	Token string `json:"token"` // opens the management API of all workspaces
}

// doorFile is where a server leaves its Door, in the data directory, readable by
// its owner alone.
const doorFile = "server.json"

// FindDoor gives the door of the server that runs on a data directory.
func FindDoor(data string) (Door, error) {
	var d Door
	text, err := os.ReadFile(filepath.Join(data, doorFile))
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	if err != nil {
		return d, fmt.Errorf("find the server of %s: %w", data, err)
	}
	return d, nil
}

func (s *Server) leaveDoor() error {
	text, err := json.Marshal(Door{URL: "http://" + s.Addr(), Token: s.token})
	if err != nil {
		return err
	}
	return writePrivate(filepath.Join(s.config.Data, doorFile), string(text)+"\n")
}

func (s *Server) removeDoor() error {
	err := os.Remove(filepath.Join(s.config.Data, doorFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("take the door away: %w", err)
	}
	return nil
}
