package payload

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"platen/liquid"
)

// An effect is what a filter does to a value that is not known: what its output
// can be, whatever it is given.
type effect struct {
	shape  shape
	safety safety
	empty  empty
}

// empty says when a filter's output may be nothing.
type empty uint8

const (
	never empty = iota
	asBefore
	always
)

// effects of filters whose output does not depend on the input's safety.
// Filters that are not listed here or in filter give any value.
var effects = map[string]effect{
	"plus": {number, plain, never}, "minus": {number, plain, never}, "times": {number, plain, never},
	"divided_by": {number, plain, never}, "modulo": {number, plain, never}, "abs": {number, plain, never},
	"ceil": {number, plain, never}, "floor": {number, plain, never}, "round": {number, plain, never},
	"at_least": {number, plain, never}, "at_most": {number, plain, never}, "size": {number, plain, never},
	"sum": {number, plain, never}, "has": {number, plain, never}, "find_index": {number, plain, always},
	"money": {number, plain, asBefore},

	"md5": {word, plain, never}, "sha1": {word, plain, never}, "sha2": {word, plain, never},
	"hmac_sha1": {word, plain, never}, "hmac_sha_1": {word, plain, never}, "hmac_sha1_hex": {word, plain, never},
	"hmac_sha1_base64": {word, plain, never}, "hmac_sha256": {word, plain, never}, "hmac_sha256_hex": {word, plain, never},
	"hmac_sha256_base64": {word, plain, never}, "hmac_sha512": {word, plain, never},
	"base64": {word, plain, asBefore}, "base64_encode": {word, plain, asBefore}, "base64_url_safe_encode": {word, plain, asBefore},
	"url_encode": {word, plain, asBefore}, "url_escape": {word, plain, asBefore}, "url_param_escape": {word, plain, asBefore},

	"as_json_string": {whole, raw, never},
	"url_decode":     {word, raw, asBefore}, "base64_decode": {word, raw, always},
}

// rewriters change letters of a text. What was plain stays so.
var rewriters = map[string]shape{
	"upcase": word, "downcase": word, "capitalize": word, "truncate": word, "truncatewords": word, "strip_html": word,
	"escape": word, "h": word, "escape_once": word, "newline_to_br": word, "number_with_delimiter": word,
	"slice": word, "replace": anything, "replace_first": anything, "replace_last": anything,
	"remove": anything, "remove_first": anything, "remove_last": anything,
}

// keepNumbers are rewriters that do nothing to digits.
var keepNumbers = map[string]bool{
	"upcase": true, "downcase": true, "capitalize": true, "strip_html": true, "escape": true, "h": true, "escape_once": true,
}

// keepEscapes are rewriters that leave the escapes of json_escape whole.
var keepEscapes = map[string]bool{"downcase": true, "number_with_delimiter": true}

// keepSeconds are filters that give a time in seconds for one in seconds.
var keepSeconds = map[string]bool{
	"plus": true, "minus": true, "round": true, "floor": true, "ceil": true, "abs": true, "at_least": true, "at_most": true,
}

// filter returns what a filter makes of a value, as far as it is known.
func (w *walker) filter(p *path, in value, f *liquid.FilterCall) value {
	in = w.printed(in)
	args := make([]value, len(f.Args))
	known := in.known && !readsClock(in, f)
	for i, arg := range f.Args {
		args[i] = w.printed(w.eval(p, arg))
		known = known && args[i].known
	}
	for _, arg := range f.Named {
		known = known && w.eval(p, arg.Value).known
	}
	switch f.Name {
	case "append":
		return w.joined(in, args[0], f)
	case "prepend":
		return w.joined(args[0], in, f)
	}
	if known {
		out, err := w.apply(p, in, f)
		if err == nil {
			return out
		}
		w.failed(f, err)
		return unknown(hole{name: f.String(), opaque: true})
	}
	name := in.name() + " | " + call(f, args)
	if opaque(in) {
		return w.throughOpaque(name, f)
	}
	switch f.Name {
	case "json_escape":
		return escape(in)
	case "strip", "lstrip", "rstrip", "strip_newlines":
		return strip(in, f.Name)
	case "default":
		return withDefault(name, in, args)
	case "date":
		if in.structured() {
			return w.lostSight(name, f)
		}
		return w.date(p, name, in, args[0], f)
	case "time_zone":
		return timeZone(name, in)
	case "join":
		return join(name, in, args, p.facts.filled(in.name()))
	case "reverse", "sort", "sort_natural", "uniq", "concat", "compact":
		return unknown(hole{name: name, empty: in.mayBeEmpty()})
	}
	if e, ok := effects[f.Name]; ok {
		return unknown(hole{name: name, shape: e.shape, safety: e.safety, lacks: lacking(f.Name),
			empty:    e.empty == always || e.empty == asBefore && in.mayBeEmpty(),
			positive: f.Name == "size" || f.Name == "abs", urlEscaped: slices.Contains(urlEscapes, f.Name),
			seconds: keepSeconds[f.Name] && in.hole() != nil && in.hole().seconds})
	}
	if in.structured() && f.Name != "json_parse" {
		return w.lostSight(name, f)
	}
	if shape, ok := rewriters[f.Name]; ok {
		return rewritten(name, in, f, args, shape)
	}
	out := hole{name: name, empty: true}
	if h := in.hole(); h == nil || h.shape == word || h.fallback != nil {
		out.shape = word // a part of a text
	}
	return unknown(out)
}

// readsClock reports whether a filter's result depends on when it runs.
func readsClock(in value, f *liquid.FilterCall) bool {
	return (f.Name == "date" || f.Name == "time_zone") && isNow(in)
}

func isNow(v value) bool { return v.known && (v.is == "now" || v.is == "today") }

// call prints a filter in terms of the input.
func call(f *liquid.FilterCall, args []value) string {
	if len(args) == 0 {
		return f.Name
	}
	names := make([]string, len(args))
	for i, a := range args {
		names[i] = a.name()
	}
	return f.Name + ": " + strings.Join(names, ", ")
}

func opaque(v value) bool { return v.hole() != nil && v.hole().opaque }

// throughOpaque is what a filter makes of a value of which nothing is known:
// a few filters give something known all the same.
func (w *walker) throughOpaque(name string, f *liquid.FilterCall) value {
	_, code := encoded[f.Name]
	if e, ok := effects[f.Name]; ok && (code || e.shape != word) {
		return unknown(hole{name: name, shape: e.shape, safety: e.safety, lacks: lacking(f.Name), empty: e.empty != never})
	}
	if f.Name == "json_escape" {
		return unknown(hole{name: name, shape: word, safety: escaped})
	}
	return unknown(hole{name: name, opaque: true})
}

// lostSight gives up on a text with JSON in it that a filter takes apart.
func (w *walker) lostSight(name string, f *liquid.FilterCall) value {
	w.found.note(f.Pos().Offset, "what the filter "+f.Name+" makes here cannot be followed; what it prints was not checked")
	return unknown(hole{name: name, opaque: true})
}

// failed reports a filter that fails whatever the customer's data.
func (w *walker) failed(f *liquid.FilterCall, err error) {
	var broken *liquid.Error
	if errors.As(err, &broken) && broken.Kind == liquid.KindRender {
		w.found.add(finding{rule: BrokenLiquid, severity: Error, at: f.Pos().Offset,
			message: "this filter always fails, so nothing would be sent: " + broken.Message}, nil)
		return
	}
	w.found.note(f.Pos().Offset, "this filter does too much work to be followed; what it prints was not checked")
}

// joined puts two texts together.
func (w *walker) joined(a, b value, f *liquid.FilterCall) value {
	out := value{pieces: append(a.pieces[:len(a.pieces):len(a.pieces)], b.pieces...)}
	if len(out.pieces) > maxPieces || textSize(out.pieces) > maxText {
		return w.lostSight(out.name(), f)
	}
	if a.known && b.known {
		out.known, out.is = true, textOf(out.pieces)
	}
	return out
}

func textSize(pieces []piece) int {
	n := 0
	for _, pc := range pieces {
		n += len(pc.text)
	}
	return n
}

func textOf(pieces []piece) string {
	var b strings.Builder
	for _, pc := range pieces {
		b.WriteString(pc.text)
	}
	return b.String()
}

// escape is json_escape on each part of the text.
func escape(in value) value {
	return value{pieces: changed(in.pieces, func(h *hole) {
		if h.safety != escaped {
			h.was = h.shape
		}
		h.shape, h.safety = word, max(h.safety, escaped)
	}, escapeJSON)}
}

// escapeJSON writes text as it stands between the quotes of a JSON string.
func escapeJSON(text string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return text // cannot be: a string always encodes
	}
	return strings.TrimSuffix(b.String(), "\"\n")[1:]
}

// strip removes white space that is there for certain.
func strip(in value, name string) value {
	if name == "strip_newlines" {
		return value{pieces: changed(in.pieces, func(h *hole) { h.lacks |= lineBreaks }, strings.NewReplacer("\r", "", "\n", "").Replace)}
	}
	pieces := slices.Clone(in.pieces)
	for name != "rstrip" && len(pieces) > 0 && pieces[0].hole == nil {
		first := &pieces[0]
		text := strings.TrimLeft(first.text, spaces)
		if first.exact {
			first.at += len(first.text) - len(text)
		}
		if first.text = text; text != "" {
			break
		}
		pieces = pieces[1:]
	}
	for name != "lstrip" && len(pieces) > 0 && pieces[len(pieces)-1].hole == nil {
		last := &pieces[len(pieces)-1]
		if last.text = strings.TrimRight(last.text, spaces); last.text != "" {
			break
		}
		pieces = pieces[:len(pieces)-1]
	}
	return value{pieces: pieces}
}

// withDefault gives a hole something to print when there is no value.
func withDefault(name string, in value, args []value) value {
	h := in.hole()
	if h != nil && h.either != nil && len(args) > 0 {
		with := *h
		with.name, with.either = name, slices.Clone(h.either)
		for i, choice := range h.either {
			if len(choice) == 0 {
				with.either[i] = args[0].pieces
			}
		}
		return unknown(with)
	}
	if h == nil || len(args) == 0 || !h.empty && (h.fallback == nil || textOf(h.fallback) != "false") {
		return in
	}
	with := *h
	with.name, with.empty = name, args[0].mayBeEmpty()
	with.fallback, with.of = args[0].pieces, h.name
	out := unknown(with)
	out.pieces[0].at, out.pieces[0].end, out.pieces[0].via = in.pieces[0].at, in.pieces[0].end, in.pieces[0].via
	return out
}

// breaksLine finds the directives of a date format that print a line break or a
// tab: %n and %t, with any flags.
var breaksLine = regexp.MustCompile(`%[^a-zA-Z%]*[nt]`)

// epoch matches date formats that print seconds since 1970 and further digits.
var epoch = regexp.MustCompile(`^%s(%L|%3N|[0-9])*$`)

// date prints a time. Text that is no time passes it unchanged, so the result is
// only as safe as the input.
func (w *walker) date(p *path, name string, in, format value, f *liquid.FilterCall) value {
	text, _ := format.is.(string)
	h := hole{name: name, shape: word, empty: in.mayBeEmpty()}
	if !format.known || text == "" {
		return unknown(h)
	}
	moment := isNow(in) || in.hole() != nil && in.hole().moment
	if isPlain(text) && !breaksLine.MatchString(text) {
		h.safety = in.safety()
		if moment {
			h.safety = plain
		}
	}
	if epoch.MatchString(text) && (moment || in.hole() != nil && in.hole().shape != word) {
		h.shape = number
	}
	h.seconds = text == "%s"
	w.tell(p, f.Args[0])
	if h.lacks = everything &^ w.datePrints(f); !moment {
		h.lacks &^= in.prints()
	}
	return unknown(h)
}

// timeZone moves a time; what is none passes unchanged.
func timeZone(name string, in value) value {
	if isNow(in) {
		return unknown(hole{name: name, shape: word, safety: plain, moment: true})
	}
	return value{pieces: changed(in.pieces, func(h *hole) {
		h.name = short(name)
		h.lacks &= lineBreaks // a time is printed with spaces
	}, sameText)}
}

// join prints a list: up to three items stand for any number of them.
func join(name string, in value, args []value, filled bool) value {
	separator := []piece{{text: " ", at: nowhere}}
	if len(args) > 0 {
		separator = args[0].pieces
	}
	list := []piece{}
	h := hole{name: name, shape: word, either: [][]piece{list}}
	if filled {
		h.either = nil
	}
	for i := range 3 {
		if i > 0 {
			list = append(list, separator...)
		}
		item := unknown(hole{name: in.name() + "[" + strconv.Itoa(i) + "]", joined: true})
		list = append(list[:len(list):len(list)], item.pieces...)
		h.either = append(h.either, list)
	}
	return unknown(h)
}

// rewritten is what a rewriter makes of a text without JSON in it.
func rewritten(name string, in value, f *liquid.FilterCall, args []value, shape shape) value {
	before := in.hole()
	h := hole{name: name, shape: shape, empty: in.mayBeEmpty(), urlEscaped: before != nil && before.urlEscaped}
	switch {
	case before == nil || before.shape == word || before.fallback != nil:
		h.shape = word
	case before.shape == number && keepNumbers[f.Name]:
		h.shape = number
	}
	least := in.safety()
	if least == escaped && !keepEscapes[f.Name] {
		least = raw
	}
	for i, a := range args {
		least = min(least, a.safety())
		if i > 0 && strings.Trim(textOf(a.pieces), ".0123456789") != "" {
			h.shape = word // the replacement
		}
	}
	h.safety = least
	var with charset
	for _, a := range args {
		with |= a.prints()
	}
	h.lacks = everything &^ rewrittenPrints(f.Name, in.prints(), with)
	return unknown(h)
}
