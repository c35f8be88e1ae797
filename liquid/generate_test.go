package liquid

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
)

// A generator makes templates at random, from a grammar.
type generator struct {
	*rand.Rand
	depth int  // of blocks around
	whole bool // no break or continue here, where Ruby 5.4 has surprises
}

// generate makes a template, as a whole and in its statements, and two partials.
func (g *generator) generate() ([]string, rubyCase) {
	statements := make([]string, 1+g.IntN(6))
	for i := range statements {
		statements[i] = g.statement()
	}
	return statements, rubyCase{
		Template: strings.Join(statements, ""),
		Data:     json.RawMessage(generatorData),
		Partials: map[string]string{"p": g.partial(), "q": g.partial()},
	}
}

// generatorData has a value of each kind, and lists of what filters for lists
// are made for.
const generatorData = `{
	"n": 3, "zero": 0, "neg": -7, "big": 123456789012345678901234567890, "f": 2.5, "g": -0.75, "h": 10.0,
	"s": "hello world", "u": "Été ñandú 😀 ß", "w": "  padded\t\n ", "e": "", "num": "12", "dec": "3.70", "html": "<p class=\"a\">Tom & 'Jerry' &lt;</p>\r\nx",
	"csv": "a,b,,c,,", "day": "2024-02-29", "stamp": "2015-03-14T15:09:26Z", "t": true, "x": false, "none": null,
	"ints": [3, 1, 2, 10], "words": ["pear", "Apple", "fig", "apple pie"], "mixed": [1, "a", null, 2.5, true], "nested": [[1, [2]], 3, []],
	"nils": [null, 2, null, 1], "dups": [1, "1", 1.5, 2, 2, "a", "a"], "no": [],
	"m": {"a": 1, "b": "two", "c": {"d": [1, 2]}, "size": 9}, "o": {},
	"people": [{"name": "Bo", "age": 30, "on": true}, {"name": "al", "age": 7, "on": false}, {"name": "Cy", "age": null}],
	"path": "b"
}`

// pick returns one of its arguments.
func pick[T any](g *generator, of ...T) T { return of[g.IntN(len(of))] }

// chance is true in so many of a hundred.
func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func (g *generator) name() string { return pick(g, "a", "b", "s", "n", "item", "words") }

func (g *generator) path() string {
	return pick(g, "n", "zero", "neg", "big", "f", "g", "h", "s", "u", "w", "e", "num", "dec", "html", "csv", "day", "stamp",
		"t", "x", "none", "ints", "words", "mixed", "nested", "nils", "dups", "no", "m", "o", "people", "a", "b", "item", "missing",
		"m.a", "m.b", "m.c.d", "m['b']", "m[path]", "m.size", "o.size", "ints[0]", "ints[-1]", "ints.first", "words.last", "words.size",
		"ints[9]", "s.size", "u.size", "people[0].name", "people[1]", "people.first.age", "people.size", "nested[0]", "nested[0][1]",
		"m.c.d.last", "m.first", "s.first", "n.size", "forloop.index", "forloop.last", "forloop.parentloop.index0", "forloop.length",
		"forloop.rindex", "tablerowloop.col", "item.name", "item[0]", "item.size", "missing.more", "ints['0']", "m.none", "none.x", "['n']", "[path]")
}

func (g *generator) number() string {
	return pick(g, "0", "1", "2", "3", "5", "-1", "-3", "10", "100", "1.5", "-2.25", "0.0", "3.0", "12345678901234567890", "0.1")
}

func (g *generator) small() string {
	return pick(g, "0", "1", "2", "3", "-1", "-2", "5", "n", "zero", "num")
}

func (g *generator) quoted() string {
	return pick(g, `'a'`, `"a"`, `''`, `' '`, `','`, `'apple'`, `'é'`, `'l'`, `"it's"`, `'a b  c'`, `'12'`, `'-3.5'`, `'1e3'`, `'x|y'`, `'<b>'`,
		`'&amp;'`, `'name'`, `'age'`, `'b'`, `'o'`, `"\n"`, `'%Y'`, `'😀'`, `'0'`, `'5 apples'`, `'\\1'`)
}

func (g *generator) list() string {
	return pick(g, "ints", "words", "mixed", "nested", "nils", "dups", "no", "people", "m", "o", "(1..3)", "(n..5)", "(3..1)", "s", "none", "m.c.d", "e", "n", "item", "(zero..num)")
}

// value is any expression without filters.
func (g *generator) value() string {
	switch g.IntN(10) {
	case 0:
		return g.number()
	case 1, 2:
		return g.quoted()
	case 3:
		return pick(g, "true", "false", "nil", "empty", "blank", "(1..3)", "(n..5)")
	}
	return g.path()
}

// filtered is an expression with filters.
func (g *generator) filtered() string {
	text := g.value()
	if g.chance(8) {
		text = g.date() + " | date: " + g.dateFormat()
	}
	for g.chance(55) {
		text += pick(g, " | ", "|", " |") + g.filter()
	}
	return text
}

// date is a value that is a time, or surely none: Ruby finds a time in nearly
// any text that has digits.
func (g *generator) date() string {
	return pick(g, "day", "stamp", "'now'", "'today'", "w", "none", "e", "f", "t", "ints", "o", "neg", "1425744000", "'1425744000'", "'-5'", "zero",
		"'2020-02-03 04:05:06'", "'2020-02-03 04:05:06 UTC'", "'2020-02-03 04:05:06 +0530'", "'2020-02-03T04:05:06.789Z'", "'2020-02-03T04:05:06-08:00'",
		"'Feb 3, 2020'", "'February 3 2020 4:05 PM'", "'3 Feb 2020'", "'Mon, 03 Feb 2020 04:05:06 GMT'", "'Mon Feb  3 04:05:06 2020'", "'2020/02/03'",
		"'03/02/2020'", "'2020-02-31'", "'2020-13-01'", "'12:34'", "'12:34:56 PM'", "'2020-02-03 24:00:00'", "'2020-02-03 04:05 EST'", "'hello'", "'Feb 2020'")
}

// A shape is a filter with what its arguments usually are.
type shape struct {
	name string
	args []func(*generator) string
	// property says that the first argument names a member: Ruby takes
	// what is no text there for the place of a character or a bit.
	property bool
}

var (
	anyValue   = (*generator).value
	aNumber    = (*generator).number
	aSmall     = (*generator).small
	aText      = (*generator).quoted
	aList      = (*generator).list
	aProperty  = func(g *generator) string { return pick(g, `'name'`, `'age'`, `'on'`, `'zip'`, "path") }
	shapesList = []shape{
		{"append", args(aText), false}, {"prepend", args(aText), false}, {"capitalize", nil, false}, {"downcase", nil, false}, {"upcase", nil, false}, {"strip", nil, false},
		{"lstrip", nil, false}, {"rstrip", nil, false}, {"strip_newlines", nil, false}, {"newline_to_br", nil, false}, {"replace", args(aText, aText), false},
		{"replace_first", args(aText, aText), false}, {"replace_last", args(aText, aText), false}, {"remove", args(aText), false}, {"remove_first", args(aText), false},
		{"remove_last", args(aText), false}, {"slice", args(aSmall), false}, {"slice", args(aSmall, aSmall), false}, {"split", args(aText), false},
		{"truncate", args(aSmall), false}, {"truncate", args(aSmall, aText), false}, {"truncatewords", args(aSmall), false}, {"truncatewords", args(aSmall, aText), false},
		{"truncate", nil, false}, {"truncatewords", nil, false}, {"size", nil, false}, {"escape", nil, false}, {"escape_once", nil, false}, {"strip_html", nil, false}, {"h", nil, false},
		{"url_encode", nil, false}, {"url_decode", nil, false}, {"base64_encode", nil, false}, {"base64_encode | base64_decode", nil, false}, {"base64_url_safe_encode", nil, false},
		{"plus", args(aNumber), false}, {"minus", args(aNumber), false}, {"times", args(aNumber), false}, {"divided_by", args(aNumber), false}, {"modulo", args(aNumber), false},
		{"at_least", args(aNumber), false}, {"at_most", args(aNumber), false}, {"abs", nil, false}, {"ceil", nil, false}, {"floor", nil, false}, {"round", nil, false}, {"round", args(aSmall), false},
		{"join", nil, false}, {"join", args(aText), false}, {"first", nil, false}, {"last", nil, false}, {"reverse", nil, false}, {"concat", args(aList), false}, {"compact", nil, false},
		{"uniq", nil, false}, {"map", args(aProperty), true}, {"sort", nil, false}, {"sort", args(aProperty), true}, {"sort_natural", nil, false}, {"where", args(aProperty), true},
		{"where", args(aProperty, anyValue), true}, {"default", args(anyValue), false}, {"default", nil, false}, {"nofilter", nil, false},
	}
)

func args(list ...func(*generator) string) []func(*generator) string { return list }

func (g *generator) filter() string {
	f := shapesList[g.IntN(len(shapesList))]
	text := f.name
	for i, arg := range f.args {
		if g.chance(8) && !f.property {
			arg = anyValue
		}
		text += pick(g, ": ", ":")
		if i > 0 {
			text = strings.TrimRight(text, ": ") + pick(g, ", ", ",")
		}
		text += arg(g)
	}
	if f.name == "default" && f.args != nil && g.chance(30) {
		text += ", allow_false: " + pick(g, "true", "false", "n")
	}
	return text
}

func (g *generator) dateFormat() string {
	var b strings.Builder
	for range 1 + g.IntN(3) {
		flag, width, verb := "", "", pick(g, "Y", "m", "d", "e", "H", "I", "M", "S", "p", "A", "a", "B", "b", "j", "y", "s", "z", "Z", "U", "W", "w", "u", "V", "G", "F", "T", "D", "R", "c", "x", "X", "C", "k", "l", "L", "N", "h", "r", "%", "n", "t", "P", "g", "v")
		if g.chance(20) {
			flag = pick(g, "-", "0", "^", "_", "#")
		}
		if g.chance(10) {
			width = strconv.Itoa(1 + g.IntN(12))
		}
		if verb == "z" && flag == "-" {
			flag = "" // Ruby gives -0000 for some of the times in UTC
		}
		b.WriteString("%" + flag + width + verb + pick(g, "", " ", "/", "-"))
	}
	return "'" + b.String() + "'"
}

func (g *generator) condition() string {
	text := g.comparison()
	for g.chance(25) {
		text += pick(g, " and ", " or ") + g.comparison()
	}
	return text
}

func (g *generator) comparison() string {
	if g.chance(25) {
		return g.value()
	}
	return g.value() + pick(g, " == ", " != ", " < ", " > ", " <= ", " >= ", " contains ", " <> ") + g.value()
}

// tag wraps the inside of a tag, with or without whitespace control.
func (g *generator) tag(inside string) string {
	return pick(g, "{% ", "{%", "{%- ", "{% ") + inside + pick(g, " %}", "%}", " -%}", " %}")
}

func (g *generator) body() string {
	g.depth++
	defer func() { g.depth-- }()
	var b strings.Builder
	for range g.IntN(3) + 1 {
		b.WriteString(g.statement())
	}
	return b.String()
}

// wholeBody is a body without break and continue.
func (g *generator) wholeBody() string {
	before := g.whole
	g.whole = true
	defer func() { g.whole = before }()
	return g.body()
}

func (g *generator) statement() string {
	if g.depth < 3 && g.chance(45) {
		return g.block()
	}
	switch g.IntN(12) {
	case 0, 1:
		return g.text()
	case 2:
		return g.tag("assign " + g.name() + " = " + g.filtered())
	case 3:
		return g.tag(pick(g, "increment ", "decrement ") + g.name())
	case 4:
		return g.cycle()
	case 5:
		return g.tag("echo " + g.filtered())
	case 6:
		if g.depth > 0 && !g.whole {
			return g.tag(pick(g, "break", "continue"))
		}
	case 7:
		return g.call()
	}
	return pick(g, "{{ ", "{{", "{{- ") + g.filtered() + pick(g, " }}", "}}", " -}}")
}

func (g *generator) text() string {
	return pick(g, "x", " ", "\n", " \n  ", "é", "<br>", "a b", "}", "{ ", "%", "'", ",")
}

func (g *generator) cycle() string {
	inside := "cycle "
	if g.chance(30) {
		inside += pick(g, "'g'", "n", "s") + ": "
	}
	inside += g.cycled()
	for g.chance(60) {
		inside += ", " + g.cycled()
	}
	return g.tag(inside)
}

// cycled is a value of a cycle: Ruby 5.4 cuts these at each comma, also in
// quotes, and drops nil.
func (g *generator) cycled() string {
	for {
		if v := g.value(); v != "','" && v != "nil" {
			return v
		}
	}
}

func (g *generator) call() string {
	inside := pick(g, "include", "render") + pick(g, " 'p'", " 'q'")
	switch g.IntN(4) {
	case 0:
		inside += " with " + g.path()
	case 1:
		inside += " for " + pick(g, "ints", "words", "people", "no", "n")
	case 2:
		return g.tag(inside + ", a: " + g.value() + ", n: " + g.value())
	}
	if g.chance(30) {
		inside += " as item"
	}
	return g.tag(inside)
}

// partial makes a partial, which calls no other.
func (g *generator) partial() string {
	return pick(g, "[{{ p }}{{ q }}{{ item }}]", "({{ a }}{{ n }}{{ b }})", "{% assign a = 'in' %}{{ a }}", "{% increment n %}", "{{ forloop.index }}{{ s }}", "{% cycle 1, 2 %}", "{% for i in ints %}{{ forloop.parentloop.index }}{% endfor %}") + g.text()
}

func (g *generator) block() string {
	switch g.IntN(11) {
	case 0, 1:
		return g.ifBlock("if", "endif")
	case 2:
		return g.ifBlock("unless", "endunless")
	case 3, 4, 5:
		return g.forBlock()
	case 6:
		return g.caseBlock()
	case 7:
		return g.tag("capture "+g.name()) + g.body() + g.tag("endcapture")
	case 8:
		return g.tableRow()
	case 9:
		return g.tag("ifchanged") + g.body() + g.tag("endifchanged")
	}
	return pick(g,
		g.tag("comment")+g.body()+g.tag("endcomment"),
		pick(g, "{% raw %}", "{%- raw %}", "{%raw%}")+" {{ n }} {% if %} "+pick(g, "{% endraw %}", "{%endraw%}"),
		g.tag("# a comment"),
		"{% liquid\n  assign "+g.name()+" = "+g.filtered()+"\n  if "+g.condition()+"\n    echo "+g.filtered()+"\n  endif\n%}",
	)
}

func (g *generator) ifBlock(tag, end string) string {
	text := g.tag(tag+" "+g.condition()) + g.body()
	for g.chance(25) {
		text += g.tag("elsif "+g.condition()) + g.body()
	}
	if g.chance(35) {
		text += g.tag("else") + g.body()
	}
	return text + g.tag(end)
}

func (g *generator) caseBlock() string {
	text := g.tag("case "+g.value()) + pick(g, "", " ", "\n")
	for range 1 + g.IntN(2) {
		inside := "when " + g.value()
		if g.chance(40) {
			inside += pick(g, ", ", " or ") + g.value()
		}
		text += g.tag(inside) + g.wholeBody()
	}
	if g.chance(40) {
		text += g.tag("else") + g.body()
	}
	return text + g.tag("endcase")
}

func (g *generator) forBlock() string {
	inside := "for " + pick(g, "item", "i", "a") + " in " + g.list()
	if g.chance(20) {
		inside += " reversed"
	}
	if g.chance(25) {
		inside += " limit:" + pick(g, "", " ") + g.small()
	}
	if g.chance(25) {
		inside += " offset:" + pick(g, "", " ") + pick(g, "continue", g.small())
	}
	text := g.tag(inside) + g.body()
	if g.chance(25) {
		text += g.tag("else") + g.body()
	}
	return text + g.tag("endfor")
}

func (g *generator) tableRow() string {
	inside := "tablerow item in " + g.list()
	if g.chance(50) {
		inside += " cols:" + g.small()
	}
	if g.chance(25) {
		inside += " limit:" + g.small()
	}
	if g.chance(25) {
		inside += " offset:" + g.small()
	}
	return g.tag(inside) + g.wholeBody() + g.tag("endtablerow")
}
