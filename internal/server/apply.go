package server

import (
	"context"

	"platen/internal/document"
	"platen/internal/workspace"
)

// ApplyText applies documents from within the program; their secrets come from env.
func (s *Server) ApplyText(ctx context.Context, name, text string, env map[string]string) error {
	_, err := s.Documents.Apply(ctx, document.Input{
		Files:  []document.File{{Name: name, Data: []byte(text)}},
		Lookup: workspace.Lookup{Getenv: func(name string) (string, bool) { v, ok := env[name]; return v, ok }},
	})
	return err
}
