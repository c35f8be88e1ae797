package workspace

import (
	"strings"

	"platen/internal/fault"
)

// SecretRef says where a secret comes from. A document never holds the secret
// itself. Exactly one field is set.
type SecretRef struct {
	Env  string `yaml:"env,omitempty"`  // the name of an environment variable
	File string `yaml:"file,omitempty"` // the path of a file; one line end at its end is dropped
	Keep bool   `yaml:"keep,omitempty"` // whatever is stored already
}

// Lookup reads what documents refer to. The functions stand for the process's
// environment and file system, or for what a client sent along.
type Lookup struct {
	Getenv   func(name string) (string, bool)
	ReadFile func(path string) ([]byte, error)
}

// Resolve gives the secret of an Env or File reference. The error is a
// *fault.Error that names the reference and never what was read.
func (r SecretRef) Resolve(from Lookup) (Secret, error) {
	switch {
	case r.Env != "":
		return r.fromEnv(from)
	case r.File != "":
		return r.fromFile(from)
	}
	return Secret{}, fault.Refused("secret_missing", "there is no stored secret to keep: write {env: NAME} or {file: PATH}")
}

func (r SecretRef) fromEnv(from Lookup) (Secret, error) {
	if from.Getenv == nil {
		return Secret{}, fault.Refused("secret_missing", "environment variables cannot be read here: write {keep: true} to keep the stored secret")
	}
	value, ok := from.Getenv(r.Env)
	if !ok || value == "" {
		return Secret{}, fault.Refused("secret_missing",
			"the environment variable %s is not set: set it, or write {keep: true} to keep the stored secret", r.Env)
	}
	return Secret{value}, nil
}

func (r SecretRef) fromFile(from Lookup) (Secret, error) {
	if from.ReadFile == nil {
		return Secret{}, fault.Refused("secret_missing", "files cannot be read here: write {env: NAME}, or {keep: true} to keep the stored secret")
	}
	b, err := from.ReadFile(r.File)
	if err != nil {
		return Secret{}, fault.Refused("secret_missing", "the file %s cannot be read", r.File).Because(err)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if text == "" {
		return Secret{}, fault.Refused("secret_missing", "the file %s is empty", r.File)
	}
	return Secret{text}, nil
}
