package mapping

import (
	"fmt"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"platen/internal/fault"
	"platen/internal/nearest"
)

// jqFunctions are the functions a mapping may use, as name/arity, each with what
// it costs beyond gojq's steps. Each looks at the event alone. localtime and its
// kin are absent because they depend on the server's zone.
var jqFunctions = map[string]price{
	// choosing
	"not/0": free, "map/1": free, "select/1": free, "empty/0": free,
	"any/0": free, "any/1": free, "all/0": free, "all/1": free,
	"first/0": free, "last/0": free, "has/1": free, "type/0": free, "length/0": weighed,
	// strings
	"tostring/0": weighed, "tojson/0": weighed, "ascii_downcase/0": weighed, "ascii_upcase/0": weighed,
	"trim/0": weighed, "ltrim/0": weighed, "rtrim/0": weighed, "ltrimstr/1": weighed, "rtrimstr/1": weighed,
	"startswith/1": free, "endswith/1": free, "contains/1": multiplied, "test/1": searched, "test/2": searched,
	"sub/2": searched, "gsub/2": searchedAll, "split/1": weighed, "join/1": multiplied,
	// numbers
	"tonumber/0": weighed, "floor/0": weighed, "ceil/0": weighed, "round/0": weighed, "fabs/0": weighed, "abs/0": weighed,
	"add/0": weighed, "min/0": weighed, "max/0": weighed,
	// dates; now is the time of receipt
	"now/0": free, "fromdate/0": weighed, "todate/0": weighed, "fromdateiso8601/0": weighed, "todateiso8601/0": weighed,
	"strptime/1": weighed, "strftime/1": weighed, "mktime/0": weighed, "gmtime/0": weighed,
}

// jqFormats are the string formats a mapping may use.
var jqFormats = map[string]bool{"@text": true, "@json": true, "@uri": true, "@base64": true, "@base64d": true}

// jqOperators are the operators a mapping may use.
var jqOperators = map[gojq.Operator]bool{
	gojq.OpPipe: true, gojq.OpComma: true, gojq.OpAlt: true, gojq.OpAnd: true, gojq.OpOr: true,
	gojq.OpEq: true, gojq.OpNe: true, gojq.OpLt: true, gojq.OpLe: true, gojq.OpGt: true, gojq.OpGe: true,
}

const jqAllowed = "a mapping may use paths, literals, comparisons, and, or, not, //, if, objects, arrays, map, select and the listed functions"

// receivedVariable is what now becomes, so that an expression sees no clock but
// the event's own.
const receivedVariable = "$__received__"

// jqChecker walks a parsed expression and refuses what is not on the lists. Its
// cursor follows the walk through the words of the text; see seek.
type jqChecker struct {
	src    string
	tokens []jqToken
}

// checkJQ refuses an expression that uses more of jq than mappings may. It
// replaces now in the tree by the time of receipt.
func checkJQ(src string, q *gojq.Query) error {
	c := jqChecker{src: src, tokens: jqTokens(src)}
	return c.query(q)
}

// seek moves the cursor over the next word of this text and gives its offset. The
// walk visits the tree in the order of the text and seeks every word that it might
// refuse, so that the next equal word is the one meant.
func (c *jqChecker) seek(text string) int {
	i := slices.IndexFunc(c.tokens, func(t jqToken) bool { return t.text == text })
	if i < 0 {
		return 0
	}
	offset := c.tokens[i].offset
	c.tokens = c.tokens[i+1:]
	return offset
}

func (c *jqChecker) refuse(word, format string, args ...any) error {
	line, column := jqPlace(c.src, c.seek(word))
	return badJQ(format+"; "+jqAllowed, args...).At(line, column)
}

func badJQ(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, "bad_mapping", format, args...)
}

func (c *jqChecker) query(q *gojq.Query) error {
	switch {
	case q == nil:
		return nil
	case q.Meta != nil:
		return c.refuse("module", "modules are not allowed")
	case len(q.Imports) > 0:
		word := "import"
		if q.Imports[0].IncludePath != "" {
			word = "include"
		}
		return c.refuse(word, "%s is not allowed", word)
	case len(q.FuncDefs) > 0:
		return c.refuse("def", "own functions (def) are not allowed")
	case q.Term != nil:
		return c.term(q.Term)
	}
	if err := c.query(q.Left); err != nil {
		return err
	}
	if len(q.Patterns) > 0 {
		return c.refuse("as", "variables (as $name) are not allowed")
	}
	if !jqOperators[q.Op] {
		return c.refuse(q.Op.String(), "the operator %s is not allowed", q.Op)
	}
	c.seek(q.Op.String())
	return c.query(q.Right)
}

func (c *jqChecker) queries(qs ...*gojq.Query) error {
	for _, q := range qs {
		if err := c.query(q); err != nil {
			return err
		}
	}
	return nil
}

func (c *jqChecker) term(t *gojq.Term) error {
	if err := c.base(t); err != nil {
		return err
	}
	for _, s := range t.SuffixList {
		if s.Index != nil {
			if err := c.index(s.Index); err != nil {
				return err
			}
		}
	}
	return nil
}

// base checks a term without its suffixes.
func (c *jqChecker) base(t *gojq.Term) error {
	switch t.Type {
	case gojq.TermTypeIdentity, gojq.TermTypeNull, gojq.TermTypeTrue, gojq.TermTypeFalse, gojq.TermTypeNumber:
		return nil
	case gojq.TermTypeIndex:
		return c.index(t.Index)
	case gojq.TermTypeFunc:
		return c.function(t.Func)
	case gojq.TermTypeObject:
		return c.object(t.Object)
	case gojq.TermTypeArray:
		return c.query(t.Array.Query)
	case gojq.TermTypeUnary:
		return c.unary(t.Unary)
	case gojq.TermTypeFormat:
		if !jqFormats[t.Format] {
			return c.refuse(t.Format, "the format %s is not allowed (allowed: %s)", t.Format, listOf(jqFormats))
		}
		c.seek(t.Format)
		return c.text(t.Str)
	case gojq.TermTypeString:
		return c.text(t.Str)
	case gojq.TermTypeIf:
		return c.condition(t.If)
	case gojq.TermTypeQuery:
		return c.query(t.Query)
	default:
		word := keywordOf(t)
		return c.refuse(word, "%s is not allowed", word)
	}
}

// keywordOf is the word that begins a term of a kind that is not allowed.
func keywordOf(t *gojq.Term) string {
	switch t.Type {
	case gojq.TermTypeTry:
		return "try"
	case gojq.TermTypeReduce:
		return "reduce"
	case gojq.TermTypeForeach:
		return "foreach"
	case gojq.TermTypeLabel:
		return "label"
	case gojq.TermTypeBreak:
		return "break"
	default:
		return ".." // the only kind left: gojq.TermTypeRecurse
	}
}

func (c *jqChecker) index(x *gojq.Index) error {
	if x.Name != "" {
		c.seek("." + x.Name)
		return nil
	}
	if err := c.text(x.Str); err != nil {
		return err
	}
	return c.queries(x.Start, x.End)
}

func (c *jqChecker) function(f *gojq.Func) error {
	if strings.HasPrefix(f.Name, "$") {
		return c.refuse(f.Name, "the variable %s is not allowed", f.Name)
	}
	key := functionKey(f)
	cost, allowed := jqFunctions[key]
	if !allowed {
		return c.refuse(f.Name, "the function %s is not allowed%s", key, didYouMean(f.Name))
	}
	offset := c.seek(f.Name)
	if f.Name == "now" {
		f.Name = receivedVariable
	}
	if cost == searched || cost == searchedAll {
		if err := c.patterns(f, offset); err != nil {
			return err
		}
	}
	return c.queries(f.Args...)
}

func functionKey(f *gojq.Func) string { return fmt.Sprintf("%s/%d", f.Name, len(f.Args)) }

// patterns holds that what a function searches for stands in the expression: gojq
// keeps each pattern it has ever compiled.
func (c *jqChecker) patterns(f *gojq.Func, offset int) error {
	last := len(f.Args)
	if strings.HasSuffix(f.Name, "sub") {
		last-- // the replacement
	}
	for _, arg := range f.Args[:last] {
		if !isLiteral(arg) {
			line, column := jqPlace(c.src, offset)
			return badJQ("%s takes its pattern as a text in quotes, so that no event can bring its own", f.Name).At(line, column)
		}
	}
	return nil
}

// didYouMean suggests an allowed function that is spelled like name.
func didYouMean(name string) string {
	best, distance := "", 3
	for _, key := range sortedKeys(jqFunctions) {
		known, _, _ := strings.Cut(key, "/")
		if d := nearest.Distance(name, known); d < distance {
			best, distance = key, d
		}
	}
	if best == "" {
		return ""
	}
	return ", did you mean " + best + "?"
}

func (c *jqChecker) object(o *gojq.Object) error {
	for _, kv := range o.KeyVals {
		if strings.HasPrefix(kv.Key, "$") {
			return c.refuse(kv.Key, "the variable %s is not allowed", kv.Key)
		}
		if kv.Key != "" {
			c.seek(kv.Key)
		}
		if err := c.text(kv.KeyString); err != nil {
			return err
		}
		if err := c.queries(kv.KeyQuery, kv.Val); err != nil {
			return err
		}
	}
	return nil
}

// unary allows a sign before a number literal only; before anything else it would
// be arithmetic.
func (c *jqChecker) unary(u *gojq.Unary) error {
	if u.Term.Type != gojq.TermTypeNumber || len(u.Term.SuffixList) > 0 {
		return c.refuse(u.Op.String(), "the operator %s is not allowed", u.Op)
	}
	c.seek(u.Op.String())
	return nil
}

func (c *jqChecker) text(s *gojq.String) error {
	if s == nil {
		return nil
	}
	return c.queries(s.Queries...)
}

func (c *jqChecker) condition(i *gojq.If) error {
	if err := c.queries(i.Cond, i.Then); err != nil {
		return err
	}
	for _, elif := range i.Elif {
		if err := c.queries(elif.Cond, elif.Then); err != nil {
			return err
		}
	}
	return c.query(i.Else)
}

func listOf(set map[string]bool) string { return strings.Join(sortedKeys(set), ", ") }
