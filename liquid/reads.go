package liquid

import (
	"cmp"
	"slices"
)

// Read is a variable that a template reads and does not set itself: what a
// render needs to be given.
type Read struct {
	Span
	// Namespace is the variable's name: custom_attribute, event_properties, …;
	// [ProfileVariables] for `${user_id}`; "" when it is computed, as in `[name]`.
	Namespace string
	// Name is the member that is read, "user_id" or "address.city". It is ""
	// when the variable is used as a whole or the member is computed.
	Name string
}

// Reads lists what the template reads from outside, each namespace and name
// once, in order. Names that the template assigns anywhere are not listed, nor is
// what snippets and text from outside (:rerender) read.
func (t *Template) Reads() []Read {
	own := make(map[string]bool)
	Walk(t.root, func(n Node) {
		for _, name := range defines(n) {
			own[name] = true
		}
	})
	var reads []Read
	seen := make(map[[2]string]bool)
	note := func(v *Variable) {
		r := readOf(v)
		key := [2]string{r.Namespace, r.Name}
		if !own[r.Namespace] && !seen[key] {
			seen[key] = true
			reads = append(reads, r)
		}
	}
	Walk(t.root, func(n Node) {
		for _, e := range Expressions(n) {
			Variables(e, note)
		}
	})
	return reads
}

func readOf(v *Variable) Read {
	r := Read{Span: v.Span, Namespace: v.Steps[0].Name}
	if len(v.Steps) > 1 && v.Steps[1].Index == nil {
		r.Name = v.Steps[1].Name
	}
	return r
}

// defines lists the variables that a node sets or binds.
func defines(n Node) []string {
	switch n := n.(type) {
	case *Assign:
		return []string{n.Name}
	case *Capture:
		return []string{n.Name}
	case *Counter:
		return []string{n.Name}
	case *For:
		return []string{n.Var, "forloop"}
	case *TableRow:
		return []string{n.Var, "tablerowloop"}
	case *ConnectedContent:
		return []string{n.Variable()}
	case *CatalogItems, *CatalogSelection:
		return []string{ItemsVariable}
	}
	return nil
}

// Walk calls visit for a node and all nodes in it, in the order of the source.
func Walk(n Node, visit func(Node)) {
	visit(n)
	switch n := n.(type) {
	case *Block:
		for _, child := range n.Nodes {
			Walk(child, visit)
		}
	case *Capture:
		Walk(n.Body, visit)
	case *If:
		for _, b := range n.Branches {
			Walk(b.Body, visit)
		}
	case *Case:
		for _, w := range n.Whens {
			Walk(w.Body, visit)
		}
	case *For:
		Walk(n.Body, visit)
		if n.Else != nil {
			Walk(n.Else, visit)
		}
	case *TableRow:
		Walk(n.Body, visit)
	case *IfChanged:
		Walk(n.Body, visit)
	case *ConnectedContent:
		walkAll(n.texts(), visit)
	case *CatalogItems:
		walkAll(n.IDs, visit)
	case *MessageExtras:
		walkAll([]*Block{n.Key, n.Value}, visit)
	}
}

func walkAll(blocks []*Block, visit func(Node)) {
	for _, b := range blocks {
		Walk(b, visit)
	}
}

// texts lists the parts of the tag that may hold Liquid, in the order of the
// source.
func (n *ConnectedContent) texts() []*Block {
	list := []*Block{n.URL}
	for i := range n.Headers {
		list = append(list, n.Headers[i].Value)
	}
	if n.Body != nil {
		list = append(list, n.Body)
	}
	slices.SortFunc(list, func(a, b *Block) int { return cmp.Compare(a.Start.Offset, b.Start.Offset) })
	return list
}

// Expressions lists the expressions that stand in the tags of a node itself, not
// those of nodes within it.
func Expressions(n Node) []Expr {
	var list []Expr
	add := func(exprs ...Expr) {
		for _, e := range exprs {
			if e != nil {
				list = append(list, e)
			}
		}
	}
	switch n := n.(type) {
	case *Output:
		add(n.Value)
	case *Assign:
		add(n.Value)
	case *If:
		for _, b := range n.Branches {
			add(b.Cond)
		}
	case *Case:
		add(n.Subject)
		for _, w := range n.Whens {
			add(w.Values...)
		}
	case *For:
		add(n.Over, n.Limit, n.Offset)
	case *TableRow:
		add(n.Over, n.Cols, n.Limit, n.Offset)
	case *Cycle:
		add(n.Group)
		add(n.Values...)
	case *Partial:
		add(n.Name, n.With)
		for _, a := range n.Args {
			add(a.Value)
		}
	}
	return list
}
