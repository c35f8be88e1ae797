package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"platen/internal/document"
	"platen/internal/fault"
	"platen/internal/manage"
)

type applyCommand struct {
	target
	Files  []string `name:"file" short:"f" required:"" help:"A file of documents, a directory of them, or - for standard input. What a catalog or a promotion list names with file: is read beside it and sent along." placeholder:"FILE"`
	DryRun bool     `help:"Tell what would change and change nothing."`
	Format string   `help:"text or json." enum:"text,json" default:"text"`
}

func (c *applyCommand) Run(ctx context.Context, s streams) (err error) {
	files, err := readFiles(c.Files, s.in)
	if err != nil {
		return err
	}
	if err := inlineData(files); err != nil {
		return err
	}
	body, err := applyBody(files, c.DryRun)
	if err != nil {
		return err
	}
	api, err := c.openOrMake(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, api.stop()) }()
	var done manage.Applied
	if err := api.into(ctx, http.MethodPost, "/api/v1/apply", nil, body, &done); err != nil {
		return err
	}
	if c.Format == "json" {
		if err := printJSON(s.out, done); err != nil {
			return err
		}
	} else {
		printApplied(s.out, done)
	}
	if done.NotLive != "" {
		return fault.New(fault.Internal, "not_live", "%s", done.NotLive)
	}
	return nil
}

// printJSON writes what --format json promises.
func printJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(value)
}

// applyBody makes the request of an apply: the files, and what their secrets
// refer to as this process sees it.
func applyBody(files []document.File, dryRun bool) (manage.Apply, error) {
	body := manage.Apply{DryRun: dryRun, Env: map[string]string{}, SecretFiles: map[string]string{}}
	for _, f := range files {
		body.Files = append(body.Files, manage.ApplyFile{Name: f.Name, Text: string(f.Data)})
	}
	refs, err := document.SecretRefs(files)
	if err != nil {
		return body, err
	}
	for _, r := range refs {
		if value, ok := os.LookupEnv(r.Env); ok && r.Env != "" {
			body.Env[r.Env] = value
		}
		if r.File == "" {
			continue
		}
		if text, err := os.ReadFile(r.File); err == nil {
			body.SecretFiles[r.File] = string(text)
		}
	}
	return body, nil
}

func printApplied(w io.Writer, done manage.Applied) {
	for _, ch := range done.Changes {
		name := ch.Name
		if ch.Workspace != "" && ch.Workspace != ch.Name {
			name = ch.Workspace + "/" + ch.Name
		}
		fmt.Fprintf(w, "%-9s %s %s\n", ch.Action, ch.Kind, name)
		for _, f := range ch.Fields {
			fmt.Fprintf(w, "          %s: %s → %s\n", f.Field, cmp.Or(f.Before, "(none)"), cmp.Or(f.After, "(none)"))
		}
	}
	if len(done.Changes) == 0 {
		fmt.Fprintln(w, "There are no documents in what was given.")
	}
	for _, warning := range done.Warnings {
		fmt.Fprintf(w, "warning: %s:%d:%d: %s\n", warning.File, warning.Line, warning.Column, warning.Message)
	}
	for _, t := range done.Tokens {
		fmt.Fprintf(w, "\nThe key %s/%s got a token. It is shown this once:\n  %s\n", t.Workspace, t.Name, t.Token)
	}
	if done.DryRun {
		fmt.Fprintln(w, "Nothing was changed (--dry-run).")
	}
}

// readFiles reads documents; of a directory all .yaml and .yml files in it.
func readFiles(names []string, stdin io.Reader) ([]document.File, error) {
	var files []document.File
	for _, name := range names {
		if name == "-" {
			data, err := io.ReadAll(stdin)
			if err != nil {
				return nil, fmt.Errorf("read standard input: %w", err)
			}
			files = append(files, document.File{Name: "standard input", Data: data})
			continue
		}
		paths := []string{name}
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			yaml, _ := filepath.Glob(filepath.Join(name, "*.yaml"))
			yml, _ := filepath.Glob(filepath.Join(name, "*.yml"))
			paths = slices.Sorted(slices.Values(append(yaml, yml...)))
			if len(paths) == 0 {
				return nil, fault.New(fault.NotFound, "no_documents", "the directory %s holds no .yaml files", name)
			}
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				return nil, unreadable(path, err)
			}
			files = append(files, document.File{Name: path, Data: data})
		}
	}
	return files, nil
}

// inlineData puts what catalogs and promotion lists name with file: into the
// documents, since the server reads no files.
func inlineData(files []document.File) error {
	var problems document.Problems
	for i, f := range files {
		var err error
		files[i], err = document.Inline(f, func(name string) ([]byte, error) { return readBeside(f.Name, name) })
		if found, ok := errors.AsType[document.Problems](err); ok {
			problems = append(problems, found...)
		} else if err != nil {
			return err
		}
	}
	if len(problems) > 0 {
		return problems
	}
	return nil
}

// readBeside reads a file that a document names: in its folder or below, so that
// documents of others cannot send what lies elsewhere. Of one that is too large it
// reads no more than shows that.
func readBeside(path, name string) (_ []byte, err error) {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, errors.New("the file must lie in the folder of the document or below, and be named from there")
	}
	f, err := os.OpenInRoot(filepath.Dir(path), filepath.FromSlash(name))
	if err != nil {
		return nil, plain(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	data, err := io.ReadAll(io.LimitReader(f, document.MaxFileBytes+1))
	return data, plain(err)
}

// unreadable and unwritable tell why a file that was named cannot be used.
func unreadable(path string, err error) error {
	return fault.New(fault.NotFound, "file_unreadable", "cannot read %s: %v", path, plain(err))
}

func unwritable(path string, err error) error {
	return fault.New(fault.Invalid, "file_unwritable", "cannot write %s: %v", path, plain(err))
}

// plain leaves the operation and the path out of a file error.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

type exportCommand struct {
	target
	Workspace string `help:"Only this workspace." placeholder:"NAME"`
}

func (c *exportCommand) Run(ctx context.Context, s streams) (err error) {
	api, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, api.stop()) }()
	query := url.Values{}
	if c.Workspace != "" {
		query.Set("workspace", c.Workspace)
	}
	out, err := api.call(ctx, http.MethodGet, "/api/v1/export", query, nil)
	if err != nil {
		return err
	}
	_, err = s.out.Write(out.Body)
	return err
}
