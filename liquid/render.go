package liquid

import (
	"errors"
	"strconv"
)

func (n *Block) render(s *Scope) error {
	for _, child := range n.Nodes {
		if err := s.renderNode(child); err != nil {
			return err
		}
		if s.interrupt != noInterrupt {
			return nil
		}
	}
	return nil
}

// renderNode renders one node; in inline mode its error is printed.
func (s *Scope) renderNode(n Node) error {
	err := s.work(1)
	if err == nil {
		switch n := n.(type) { // the two that nearly all nodes are
		case *Text:
			err = s.print(n.Text)
		case *Output:
			err = n.render(s)
		default:
			err = n.render(s)
		}
	}
	if err == nil {
		return nil
	}
	return s.failedNode(err, n)
}

func (s *Scope) failedNode(err error, n Node) error {
	err = s.placed(err, n)
	var e *Error
	if s.opts.Errors == Inline && errors.As(err, &e) && e.Kind == KindRender {
		return s.placed(s.print("Liquid error (line "+strconv.Itoa(e.Pos.Line)+"): "+e.Message), n)
	}
	return err
}

func (n *Text) render(s *Scope) error { return s.print(n.Text) }

func (n *Output) render(s *Scope) error {
	if n.Value == nil {
		return nil
	}
	v, err := n.Value.eval(s)
	if err != nil {
		return err
	}
	return s.printValue(v)
}

func (n *Assign) render(s *Scope) error {
	v, err := n.Value.eval(s)
	if err != nil {
		return err
	}
	s.Set(n.Name, plain(v))
	return s.workOn(n.Name)
}

func (n *Capture) render(s *Scope) error {
	from := len(s.out)
	if err := n.Body.render(s); err != nil {
		return err
	}
	text, err := s.captured(from)
	if err != nil {
		return err
	}
	s.Set(n.Name, text)
	return s.workOn(n.Name)
}

func (n *If) render(s *Scope) error {
	for _, b := range n.Branches {
		if b.Cond != nil {
			if err := s.work(1); err != nil {
				return s.placed(err, b)
			}
			v, err := b.Cond.eval(s)
			if err != nil {
				return err
			}
			if Truthy(v) == b.Negate {
				continue
			}
		}
		return b.Body.render(s)
	}
	return nil
}

func (n *Case) render(s *Scope) error {
	matched := false
	for _, w := range n.Whens {
		if w.Values == nil && !matched {
			if err := w.Body.render(s); err != nil {
				return err
			}
		}
		for _, e := range w.Values {
			if s.interrupt != noInterrupt {
				return nil
			}
			same, err := n.matches(s, e)
			if err != nil {
				return err
			}
			if !same {
				continue
			}
			matched = true
			if err := w.Body.render(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// matches compares a value of a when with the subject as it is now: the body of
// one before may have changed it.
func (n *Case) matches(s *Scope, e Expr) (bool, error) {
	if err := s.work(1); err != nil {
		return false, s.placed(err, e)
	}
	subject, err := n.Subject.eval(s)
	if err != nil {
		return false, err
	}
	v, err := e.eval(s)
	if err != nil {
		return false, err
	}
	same, err := s.equal(plain(subject), v, 0)
	return same, s.placed(err, e)
}

func (n *Counter) render(s *Scope) error {
	if err := s.workOn(n.Name); err != nil {
		return err
	}
	value := s.counters[n.Name]
	if value == nil {
		value = s.in.Vars[n.Name]
	}
	count, err := toNumber(value)
	if err != nil {
		return err
	}
	step := int64(1)
	if n.Decrement {
		step = -1
	}
	next, err := count.plus(wholeNumber(step))
	if err != nil {
		return err
	}
	if s.counters == nil {
		s.counters = make(map[string]any)
	}
	s.counters[n.Name] = next.value()
	if n.Decrement {
		return s.printValue(next.value())
	}
	return s.printValue(count.value())
}

func (n *Cycle) render(s *Scope) error {
	key := n.key
	if n.Group != nil {
		group, err := n.Group.eval(s)
		if err != nil {
			return err
		}
		name, err := s.text(group)
		if err != nil {
			return err
		}
		key = name // never equal to that of a group without a name, which begins with a zero byte
		if _, isText := group.(string); !isText {
			key = "\x01" + name // 1 and '1' are two groups
		}
	}
	if err := s.workOn(key); err != nil {
		return err
	}
	at, begun := s.cycles[key]
	if !begun {
		if err := s.build(entrySize + len(key)); err != nil {
			return err
		}
	}
	if s.cycles == nil {
		s.cycles = make(map[string]int)
	}
	s.cycles[key] = at + 1
	if at+1 >= len(n.Values) {
		s.cycles[key] = 0
	}
	if at >= len(n.Values) {
		return nil
	}
	v, err := n.Values[at].eval(s)
	if err != nil {
		return err
	}
	return s.printValue(v)
}

func (n *IfChanged) render(s *Scope) error {
	from := len(s.out)
	if err := n.Body.render(s); err != nil {
		return err
	}
	text, err := s.captured(from)
	if err != nil || text == s.changed {
		return err
	}
	s.changed = text
	return s.print(text)
}

func (n *Interrupt) render(s *Scope) error {
	s.interrupt = breakLoop
	if n.Continue {
		s.interrupt = continueLoop
	}
	return nil
}

func (n *Comment) render(*Scope) error { return nil }

func (n *Abort) render(s *Scope) error {
	return s.placed(&failure{kind: KindAbort, message: n.Message}, n)
}
