package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"github.com/itchyny/gojq"
)

// maxExpression bounds the text of one expression, in bytes.
const maxExpression = 4096

// expression is one jq expression, compiled to a closure where it can be, else to
// gojq's code. It may be used by many goroutines at once.
type expression struct {
	closure closure
	code    *gojq.Code
}

// compileExpression checks and compiles a jq text. The error is a *fault.Error
// with line and column in the text.
func compileExpression(src string) (*expression, error) {
	if len(src) > maxExpression {
		return nil, badJQ("the expression is %d bytes long; at most %d are allowed", len(src), maxExpression)
	}
	q, err := gojq.Parse(src)
	if err != nil {
		return nil, parseFault(src, err)
	}
	if q.Term == nil && q.Left == nil && q.Meta == nil && len(q.Imports)+len(q.FuncDefs) == 0 {
		return nil, badJQ("the expression is empty; write a path as in .properties.id")
	}
	if err := checkJQ(src, q); err != nil {
		return nil, err
	}
	if c, ok := closureOf(q); ok {
		return &expression{closure: c}, nil
	}
	code, err := compileBounded(q)
	if err != nil {
		return nil, badJQ("the expression cannot be compiled: %v", err)
	}
	return &expression{code: code}, nil
}

// parseFault places gojq's syntax error. Its offset is where the bad token ends.
func parseFault(src string, err error) error {
	var parse *gojq.ParseError
	if !errors.As(err, &parse) {
		return badJQ("the expression is not jq: %v", err)
	}
	line, column := jqPlace(src, parse.Offset-len(parse.Token))
	return badJQ("the expression is not jq: %v", err).At(line, column)
}

// evaluation holds what the expressions of a set share while they look at one
// body: it is decoded once, and one bound of work holds for all of them.
type evaluation struct {
	raw      []byte
	received time.Time

	decoded bool
	body    any
	work    *work // nil until gojq is needed
}

// eval gives the first output of x, or errNothing.
func (e *evaluation) eval(x *expression) (any, error) {
	if err := e.decode(); err != nil {
		return nil, err
	}
	if x.closure != nil {
		return x.closure(e.body)
	}
	if e.work == nil {
		e.work = newWork(maxSteps, time.Now().Add(maxTime))
	}
	received := float64(e.received.UnixMilli()) / 1e3
	v, ok := x.code.RunWithContext(e.work, e.body, received, e.work).Next()
	if !ok {
		return nil, errNothing
	}
	if err, failed := v.(error); failed {
		return nil, err
	}
	// Parts of a value may stand in it many times over.
	return v, e.work.spend(weight(v, e.work.left))
}

// decode keeps numbers as they were written, so that ids and prices lose nothing
// on the way through an expression.
func (e *evaluation) decode() error {
	if e.decoded {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(e.raw))
	d.UseNumber()
	e.decoded = true
	return d.Decode(&e.body)
}

// json gives the first output of x as JSON, nil when it is null or nothing.
func (e *evaluation) json(x *expression) ([]byte, error) {
	v, err := e.eval(x)
	if err == errNothing || err == nil && v == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return gojq.Marshal(v)
}
