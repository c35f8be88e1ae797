package payload

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// A mutation is one mistake put into a template that has none, with the place at
// which it must be reported.
type mutation struct {
	name   string
	source string
	want   string // line:column rule
}

// A mutator makes mutations of one template. It finds its way by regular
// expressions on the source and never asks the linter.
type mutator struct {
	source    string
	mutations []mutation
}

// member patterns: a name, and behind the colon a string (the repaired templates
// have no quotes within), an output, or an opening bracket.
var memberPattern = regexp.MustCompile(`"(\w+)": ("[^"\n]*"|\{\{[^\n]*?\}\}+|[\[{])`)

// put replaces source[from:to] and expects rule where `at` (an offset in the
// mutated source) is.
func (m *mutator) put(name string, from, to int, text string, at int, rule Rule) {
	mutated := m.source[:from] + text + m.source[to:]
	line := strings.Count(mutated[:at], "\n") + 1
	column := utf8.RuneCountInString(mutated[strings.LastIndexByte(mutated[:at], '\n')+1:at]) + 1
	m.mutations = append(m.mutations, mutation{
		name:   fmt.Sprintf("%s at %d", name, from),
		source: mutated, want: fmt.Sprintf("%d:%d %s", line, column, rule),
	})
}

func mutationsOf(source string) []mutation {
	m := &mutator{source: source}
	m.lines()
	m.members()
	m.brackets()
	m.outputs()
	end := len(strings.TrimRight(source, "\n"))
	m.put("text after", end, end, " done", end+1, TextAfter)
	m.put("second object", end, end, "\n{}", end+1, TextAfter)
	m.put("comma after", end, end, ",", end, TextAfter)
	return m.mutations
}

// json returns where the JSON text begins: at the first line that is a bracket.
func (m *mutator) json() int { return strings.Index(m.source, "\n{\n") + 1 }

// lines makes mistakes with commas and comments, which depend on the lines of
// the JSON text.
func (m *mutator) lines() {
	at := m.json()
	lines := strings.Split(strings.TrimRight(m.source[at:], "\n"), "\n")
	for i, line := range lines {
		end := at + len(line)
		text := strings.TrimLeft(line, " ")
		begin := end - len(text)
		for _, comment := range []string{"// a note", "# a note", "/* a note */"} {
			m.put("comment line", at, at, comment+"\n", at, CommentSent)
			m.put("comment behind", end, end, " "+comment, end+1, CommentSent)
		}
		switch {
		case strings.HasSuffix(line, ","):
			m.put("comma dropped", end-1, end, "", end-1, MissingComma)
			m.put("comma doubled", end, end, ",", end, ExtraComma)
			m.put("semicolon", end-1, end, ";", end-1, UnexpectedText)
		case i+1 < len(lines) && !strings.HasSuffix(line, "{") && !strings.HasSuffix(line, "["):
			m.put("comma added", end, end, ",", end, TrailingComma)
		}
		if strings.HasSuffix(line, "{") || strings.HasSuffix(line, "[") {
			m.put("comma behind a bracket", end, end, ",", end, ExtraComma)
		}
		if strings.HasPrefix(text, `"`) && i > 0 {
			if open := strings.Join(lines[:i], ""); strings.Count(open, "[") == strings.Count(open, "]") {
				m.put("stray closing bracket", begin, begin, "] ", begin, StrayBracket)
			}
		}
		at = end + 1
	}
}

func (m *mutator) members() {
	for _, at := range memberPattern.FindAllStringSubmatchIndex(m.source, -1) {
		open, name, value, valueEnd := at[0], m.source[at[2]:at[3]], at[4], at[5]
		closing := at[3]
		colon := closing + 1
		m.put("name not opened", open, open+1, "", open, UnquotedName)
		m.put("name not closed", closing, closing+1, "", open, UnclosedString)
		m.put("name without quotes", open, closing+1, name, open, UnquotedName)
		m.put("name in single quotes", open, closing+1, "'"+name+"'", open, SingleQuotes)
		m.put("name in curly quotes", open, closing+1, "“"+name+"”", open, SmartQuotes)
		m.put("colon dropped", colon, colon+1, "", colon, MissingColon)
		m.put("colon doubled", colon, colon, ":", colon+1, UnexpectedText)
		m.put("equals sign", colon, colon+1, " =", colon+1, UnexpectedText)
		if m.source[value] == '"' {
			m.text(open, colon, value, valueEnd)
		}
		if m.source[value] != '{' || strings.HasPrefix(m.source[value:], "{{") {
			if m.source[value] != '[' {
				m.put("value dropped", value, valueEnd, "", colon+1, MissingValue)
				copied := m.source[open:valueEnd]
				m.put("member twice", open, open, copied+", ", open+len(copied)+2, DuplicateName)
			}
		}
	}
}

// text makes mistakes in a string.
func (m *mutator) text(open, colon, value, end int) {
	inside := m.source[value+1 : end-1]
	m.put("text not opened", value, value+1, "", value, UnquotedText)
	m.put("text not closed", end-1, end, "", value, UnclosedString)
	m.put("text without quotes", value, end, inside, value, UnquotedText)
	m.put("text in single quotes", value, end, "'"+inside+"'", value, SingleQuotes)
	m.put("text in curly quotes", value, end, "“"+inside+"”", value, SmartQuotes)
	m.put("backslash", value+1, value+1, `\d`, value+1, BadEscape)
	m.put("tab", value+1, value+1, "\t", value+1, LineBreak)
	m.put("line break", end-1, end-1, "\nand more", end-1, LineBreak)
	m.put("quote in a text", value+1, value+1, `a"b`, value+2, StrayQuote)
	m.put("Python", value, end, "None", value, UnquotedText)
	m.put("bad number", value, end, "007", value, BadNumber)
}

// brackets drops each bracket of the JSON text.
func (m *mutator) brackets() {
	text := regexp.MustCompile(`\{\{[^\n]*?\}\}+|\{%[^\n]*?%\}|"[^"\n]*"`).ReplaceAllStringFunc(m.source, func(s string) string {
		return strings.Repeat("x", len(s))
	})
	var open []int
	for at := m.json(); at < len(text); at++ {
		switch text[at] {
		case '{':
			first := at + 1 + strings.IndexAny(text[at+1:], "x")
			m.put("{ dropped", at, at+1, "", first-1, MissingBracket)
			open = append(open, at)
		case '[':
			closing := at + strings.IndexByte(text[at:], ']')
			m.put("[ dropped", at, at+1, "", closing-1, StrayBracket)
			open = append(open, at)
		case '}', ']':
			m.put(text[at:at+1]+" dropped", at, at+1, "", open[len(open)-1], Unclosed)
			open = open[:len(open)-1]
		}
	}
}

// outputs takes the filters away that make outputs safe, and quotes numbers.
func (m *mutator) outputs() {
	for _, filter := range []struct {
		text string
		rule Rule
	}{{" | json_escape", Unescaped}, {" | append: '000'", Seconds}, {" | as_json_string", MayBeEmpty}} {
		for at := 0; ; {
			i := strings.Index(m.source[at:], filter.text)
			if i < 0 {
				break
			}
			at += i
			output := strings.LastIndex(m.source[:at], "{{")
			m.put("no"+filter.text, at, at+len(filter.text), "", output, filter.rule)
			if filter.rule != Unescaped {
				end := at + strings.Index(m.source[at:], "}}") + 2
				m.put("quoted", output, end, `"`+m.source[output:end]+`"`, output, QuotedNumber)
			}
			at++
		}
	}
}

func TestMutations(t *testing.T) {
	distinct := map[string]bool{}
	for _, seed := range seeds {
		for _, m := range mutationsOf(repaired(t, seed.name)) {
			distinct[m.source] = true
			t.Run(seed.name+"/"+m.name, func(t *testing.T) {
				report, err := Lint(m.source, Options{})
				if err != nil {
					t.Fatal(err)
				}
				if got := places(report); len(got) != 1 || got[0] != m.want {
					t.Errorf("got %v, want %s only", got, m.want)
				}
			})
		}
	}
	t.Logf("%d mutations", len(distinct))
	if len(distinct) < 150 {
		t.Errorf("only %d distinct mutations", len(distinct))
	}
}

// What Fix leaves no finding in sends JSON, and it leaves none in most.
func TestMutationsRepaired(t *testing.T) {
	all, repairs := 0, 0
	for _, seed := range seeds {
		for _, m := range mutationsOf(repaired(t, seed.name)) {
			fixed, applied, rest, err := Fix(m.source, Options{})
			if err != nil {
				t.Fatal(err)
			}
			all++
			if len(rest.Findings) > 0 {
				continue
			}
			repairs++
			if len(applied) == 0 {
				t.Errorf("%s/%s: nothing was repaired", seed.name, m.name)
			}
			if !sendsJSON(t, fixed, friendly()) {
				t.Errorf("%s/%s: the repaired template sends nothing:\n%s", seed.name, m.name, fixed)
			}
		}
	}
	t.Logf("%d of %d mutations repaired", repairs, all)
	if repairs*10 < all*7 {
		t.Errorf("only %d of %d mutations repaired", repairs, all)
	}
}
