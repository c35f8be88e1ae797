package payload

import (
	"fmt"
	"strings"
)

// Severity says how bad a finding is.
type Severity string

const (
	// Error: what would be sent is not JSON, whatever the customer's data.
	Error Severity = "error"
	// Warning: it is JSON for some values only, or it is JSON that the receiver
	// will misread.
	Warning Severity = "warning"
)

// Rule names one kind of defect; scripts may rely on the words.
type Rule string

// The rules.
const (
	BrokenLiquid   Rule = "liquid"              // the template does not parse, or a filter in it always fails
	UnknownName    Rule = "unknown_variable"    // an output of a name that nothing sets
	UnknownSnippet Rule = "unknown_snippet"     // content_blocks.${…} of a name that there is not
	NoJSON         Rule = "no_json"             // nothing would be sent
	NotJSON        Rule = "not_json"            // what is sent begins as no JSON does; Fix leaves it alone
	CommentSent    Rule = "comment_sent"        // a //, # or /* */ comment would be sent as it is
	MissingComma   Rule = "missing_comma"       // placed right behind the value that lacks it
	TrailingComma  Rule = "trailing_comma"      // a comma before } or ]
	ExtraComma     Rule = "extra_comma"         // a comma with nothing in front of it
	MissingColon   Rule = "missing_colon"       // placed right behind the name
	MissingValue   Rule = "missing_value"       // placed right behind the colon, or the name without one
	UnquotedName   Rule = "unquoted_name"       // a member's name without double quotes
	UnquotedText   Rule = "unquoted_text"       // text as a value without double quotes, or what may be text (see meansNumber)
	BadNumber      Rule = "bad_number"          // 01, +1, 1.
	SingleQuotes   Rule = "single_quotes"       // 'text'
	SmartQuotes    Rule = "smart_quotes"        // “text”
	UnclosedString Rule = "unclosed_string"     // placed at the opening quote
	StrayQuote     Rule = "stray_quote"         // a quote within a text that ends it too early
	LineBreak      Rule = "line_break"          // a line break or tab within a string, a header or a form
	BadEscape      Rule = "bad_escape"          // a backslash that begins no escape
	Unclosed       Rule = "unclosed_bracket"    // placed at the opening bracket
	MissingBracket Rule = "missing_bracket"     // a { is missing; placed where it should stand
	StrayBracket   Rule = "stray_bracket"       // a } or ] that closes nothing
	UnexpectedText Rule = "unexpected_text"     // anything else that JSON has no place for
	TextAfter      Rule = "text_after_document" // text behind the last closing bracket
	DuplicateName  Rule = "duplicate_name"      // the same name twice in one object
	QuotedNumber   Rule = "quoted_number"       // a number in quotes where the receiver wants a number
	Seconds        Rule = "seconds"             // seconds where the receiver wants milliseconds
	Unescaped      Rule = "unescaped"           // an output without the filter that its place needs, or changed after it
	DoubleEscaped  Rule = "double_escaped"      // an output that is escaped twice; placed at the second filter
	QuotedJSON     Rule = "quoted_json"         // as_json_string within quotes
	MayBeEmpty     Rule = "may_be_empty"        // an output outside of quotes that may print nothing
	BadURL         Rule = "bad_url"             // what no URL can hold, or the lack of one
	SecretSent     Rule = "literal_secret"      // what looks like a secret in a header
)

// Edit replaces the bytes Start to End (end excluded) of the source by Text.
type Edit struct {
	Start int    `json:"start"`
	End   int    `json:"end"`
	Text  string `json:"text"`
}

// Finding is one defect.
type Finding struct {
	// Part names the text that it is in, where several are reported together;
	// whoever puts such a report together sets it. Edits are bytes of that text.
	Part     string   `json:"part,omitempty"`
	Rule     Rule     `json:"rule"`
	Line     int      `json:"line"`   // in the template's source, from 1
	Column   int      `json:"column"` // in characters, from 1
	Severity Severity `json:"severity"`
	Message  string   `json:"message"` // what is wrong and the way out, in plain words
	// Edits repair it; none when a person must decide. They do not overlap.
	Edits []Edit `json:"edits,omitempty"`
	// Before and After show the repair: the first line that it touches.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	// Path is the condition under which the defect is sent, "" when it always is.
	Path string `json:"path,omitempty"`

	offset int
}

// Note says what could not be checked.
type Note struct {
	Part    string `json:"part,omitempty"` // see Finding
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

// Report is the outcome of a lint, in the order of the source.
type Report struct {
	Findings []Finding `json:"findings"`
	Notes    []Note    `json:"notes,omitempty"`

	further int // findings that are not listed
}

// Text prints the report for a terminal, one finding after the other, as
//
//	file:line:column: severity: message (rule)
//
// with the condition and the repair on lines of their own below it.
func (r Report) Text(file string) string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s:%d:%d: %s: %s%s (%s)\n", file, f.Line, f.Column, f.Severity, prefix(f.Part), f.Message, f.Rule)
		if f.Path != "" {
			fmt.Fprintf(&b, "    when %s\n", f.Path)
		}
		if len(f.Edits) > 0 {
			fmt.Fprintf(&b, "    - %s\n    + %s\n", f.Before, f.After)
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "%s:%d:%d: note: %s%s\n", file, n.Line, n.Column, prefix(n.Part), n.Message)
	}
	return b.String()
}

func prefix(part string) string {
	if part == "" {
		return ""
	}
	return part + ": "
}
