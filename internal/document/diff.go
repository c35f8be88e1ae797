package document

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// FieldChange is one value that differs. A text of many lines is shown by the
// first line that differs.
type FieldChange struct {
	Field  string `json:"field"`            // as "variants[0].percent"
	Before string `json:"before,omitempty"` // "" where there was none
	After  string `json:"after,omitempty"`  // "" where there is none
}

// fieldChanges compares two bodies of one document.
func fieldChanges(before, after []byte) ([]FieldChange, error) {
	was, err := leaves(before)
	if err != nil {
		return nil, err
	}
	is, err := leaves(after)
	if err != nil {
		return nil, err
	}
	var changes []FieldChange
	for _, l := range is {
		if i := slices.IndexFunc(was, func(w leaf) bool { return w.path == l.path }); i < 0 {
			changes = append(changes, FieldChange{Field: l.path, After: cut(l.text)})
		} else if was[i].text != l.text {
			changes = append(changes, changeOf(l.path, was[i].text, l.text))
		}
	}
	for _, w := range was {
		if !slices.ContainsFunc(is, func(l leaf) bool { return l.path == w.path }) {
			changes = append(changes, FieldChange{Field: w.path, Before: cut(w.text)})
		}
	}
	return changes, nil
}

// leaf is one scalar of a document.
type leaf struct{ path, text string }

func leaves(body []byte) ([]leaf, error) {
	var n yaml.Node
	if err := yaml.Unmarshal(body, &n); err != nil {
		return nil, fmt.Errorf("compare documents: %w", err)
	}
	return appendLeaves(nil, n.Content[0], ""), nil
}

func appendLeaves(to []leaf, n *yaml.Node, path string) []leaf {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			name := n.Content[i].Value
			if path != "" {
				name = path + "." + name
			}
			to = appendLeaves(to, n.Content[i+1], name)
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			to = appendLeaves(to, item, path+"["+strconv.Itoa(i)+"]")
		}
	default:
		to = append(to, leaf{path, n.Value})
	}
	return to
}

func changeOf(path, before, after string) FieldChange {
	was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
	same := 0
	for same < min(len(was), len(is))-1 && was[same] == is[same] {
		same++
	}
	if len(was)+len(is) == 2 {
		return FieldChange{Field: path, Before: cut(before), After: cut(after)}
	}
	line := fmt.Sprintf("line %d: ", same+1)
	return FieldChange{Field: path, Before: line + cut(was[same]), After: line + cut(is[same])}
}

// cut shortens a value to what fits into a line.
func cut(text string) string {
	const most = 80
	first, _, more := strings.Cut(text, "\n")
	if r := []rune(first); len(r) > most {
		return string(r[:most]) + "…"
	}
	if more {
		return first + " …"
	}
	return first
}
