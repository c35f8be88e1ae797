package payload

import (
	"fmt"
	"strings"

	"platen/liquid"
)

// eval returns what is known of an expression on a path. nil is an output
// without an expression.
func (w *walker) eval(p *path, e liquid.Expr) value {
	switch e := e.(type) {
	case *liquid.Literal:
		return literal(e)
	case *liquid.Variable:
		return w.variable(p, e)
	case *liquid.Range:
		from, to := w.eval(p, e.From), w.eval(p, e.To)
		if from.known && to.known {
			w.scope.Set("from", from.is)
			w.scope.Set("to", to.is)
			if v, err := w.scope.Eval(&liquid.Range{Span: e.Span, From: named("from"), To: named("to")}); err == nil {
				return knownValue(v)
			}
		}
		return unknown(hole{name: "(" + from.name() + ".." + to.name() + ")"})
	case *liquid.Filtered:
		v := w.eval(p, e.Base)
		for i, f := range e.Filters {
			v = traceEscape(e, i, v, w.filter(p, v, f))
		}
		return v
	case *liquid.Braced:
		return w.eval(p, e.Inner)
	case *liquid.Snippet:
		return w.snippet(p, e)
	case nil:
		return knownValue("")
	}
	return unknown(hole{name: e.String(), shape: number, safety: plain}) // a condition: true or false
}

// literal keeps the place of each byte of a string.
func literal(e *liquid.Literal) value {
	v := knownValue(e.Value)
	if text, ok := e.Value.(string); ok && text != "" {
		const quote = 1
		from := e.Pos().Offset + quote
		v.pieces = []piece{{text: text, at: from, end: from + len(text), exact: true}}
	}
	return v
}

func (w *walker) variable(p *path, e *liquid.Variable) value {
	root := e.Steps[0].Name
	local, isLocal := p.vars.get(root)
	switch {
	case e.Steps[0].Index != nil:
		return unknown(hole{name: e.String(), empty: true})
	case !isLocal && w.uses.counters[root]:
		return unknown(hole{name: e.String(), shape: number, safety: plain, empty: true})
	case !isLocal && w.uses.assigned[root], !w.uses.sets(root):
		return knownValue(nil) // assigned on other ways only, or nowhere
	case !isLocal:
		name, _ := w.path(p, "", e.Steps)
		return p.refined(input(e, name))
	case len(e.Steps) == 1:
		if h := local.hole(); h != nil && !h.opaque && h.fallback == nil && local.pieces[0].at == nowhere {
			return p.refined(*h)
		}
		return local
	}
	name, known := w.path(p, local.name(), e.Steps[1:])
	switch {
	case local.known && known:
		return w.member(p, e)
	case !local.known && local.hole() == nil:
		return unknown(hole{name: name, empty: true}) // a member of a text
	case local.hole() != nil && local.hole().opaque:
		return unknown(hole{name: name, opaque: true})
	}
	h := hole{name: name, empty: true}
	if last := e.Steps[len(e.Steps)-1]; last.Name == "size" && last.Index == nil && !last.Dollar {
		h.shape, h.safety, h.empty = number, plain, !p.facts.present(local.name())
	}
	return p.refined(h)
}

// path prints the steps of a variable in terms of the input. known is false
// when an index is not.
func (w *walker) path(p *path, root string, steps []liquid.Step) (name string, known bool) {
	var b strings.Builder
	b.WriteString(root)
	known = true
	for _, s := range steps {
		switch {
		case s.Index != nil:
			v := w.eval(p, s.Index)
			known = known && v.known
			if v.known {
				fmt.Fprintf(&b, "[%v]", v.is)
			} else {
				b.WriteString("[" + v.name() + "]")
			}
		case s.Name == liquid.ProfileVariables:
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			if s.Dollar {
				b.WriteString("${" + s.Name + "}")
			} else {
				b.WriteString(s.Name)
			}
		}
	}
	return b.String(), known
}

// member follows a path into a known value.
func (w *walker) member(p *path, e *liquid.Variable) value {
	w.tell(p, e)
	v, err := w.scope.Eval(e)
	if err != nil {
		return unknown(hole{name: e.String(), empty: true})
	}
	return knownValue(v)
}

// tell gives the engine the variables of an expression, which are all known.
func (w *walker) tell(p *path, e liquid.Expr) {
	liquid.Variables(e, func(v *liquid.Variable) {
		local, _ := p.vars.get(v.Steps[0].Name)
		w.scope.Set(v.Steps[0].Name, local.is)
	})
}

// refined adds what the path's decisions tell about a value.
func (p *path) refined(h hole) value {
	if v, ok := p.facts.literal(h.name); ok {
		return knownValue(v)
	}
	if h.empty && p.facts.present(h.name) {
		h.empty = false
	}
	if h.shape == anything && p.facts.number(h.name) {
		h.shape, h.safety = number, plain
	}
	return unknown(h)
}

// printed returns the value with its pieces.
func (w *walker) printed(v value) value {
	if !v.known || v.pieces != nil {
		return v
	}
	text, err := w.scope.Text(v.is)
	if err != nil {
		return unknown(hole{name: v.name(), opaque: true})
	}
	if text != "" {
		v.pieces = []piece{{text: text, at: nowhere}}
	}
	return v
}

// apply carries out a filter on a known value with known arguments.
func (w *walker) apply(p *path, in value, f *liquid.FilterCall) (value, error) {
	for _, arg := range f.Args {
		w.tell(p, arg)
	}
	for _, arg := range f.Named {
		w.tell(p, arg.Value)
	}
	out, err := w.scope.Apply(f, in.is)
	if err != nil {
		return value{}, err
	}
	return traced(in, knownValue(out)), nil
}

// traced keeps the place of a text that a filter only cut.
func traced(in, out value) value {
	text, ok := out.is.(string)
	if !ok || text == "" || len(in.pieces) != 1 || !in.pieces[0].exact {
		return out
	}
	pc := in.pieces[0]
	if i := strings.Index(pc.text, text); i >= 0 {
		pc.text, pc.at, pc.end = text, pc.at+i, pc.at+i+len(text)
		out.pieces = []piece{pc}
	}
	return out
}

const spaces = " \t\n\v\f\r"

func trimSpace(text string) string { return strings.Trim(text, spaces) }
