package payload

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"platen/liquid"
)

// shape is what a hole prints, seen as JSON outside of quotes.
type shape uint8

const (
	anything shape = iota // whatever the data holds: text, a number, a list
	word                  // text, which JSON wants in quotes
	number                // a number, true or false
	whole                 // a complete JSON value: what as_json_string prints
)

// safety is what a hole may print, seen as a part of a JSON string.
type safety uint8

const (
	raw     safety = iota // any character
	escaped               // went through json_escape
	plain                 // no quote, backslash or control character
)

// A hole is a part of the text that depends on the customer's data.
type hole struct {
	// name is the expression in terms of the template's input. Two holes of one
	// name print the same on one way through the template.
	name    string
	shape   shape
	was     shape // before json_escape made it text
	safety  safety
	empty   bool // may print nothing
	seconds bool // a time in seconds since 1970
	// positive is a number without a sign.
	positive bool
	moment   bool    // is a time, not text that may be one
	opaque   bool    // may print anything, parts of the JSON's structure included
	joined   bool    // an item of a list that was joined
	tag      bool    // printed by a tag, which takes no filters
	lacks    charset // kinds of characters that it never prints
	// escapedBefore is set once json_escape wrote it, also when other filters
	// changed it since; twice, when it was escaped again.
	escapedBefore bool
	twice         *doubling
	urlEscaped    bool // went through one of urlEscapes
	// fallback is printed instead when there is no value of this name (the default
	// filter).
	fallback []piece
	of       string
	// either are texts of which one is printed, depending on the data.
	either [][]piece
}

// describe writes what decides how the hole is judged.
func (h *hole) describe(b *strings.Builder) {
	b.WriteString(h.name)
	b.Write([]byte{'0' + byte(h.shape), '0' + byte(h.safety), bit(h.empty), bit(h.seconds), bit(h.escapedBefore), byte(h.lacks)})
}

// A piece is a part of the text that is sent: literal text, or a hole.
type piece struct {
	text string
	hole *hole

	at, end int  // where it comes from in the source; at is -1 as long as it is not printed
	exact   bool // byte i of text is byte at+i of the source
	// via are the outputs that printed it, innermost first, when it was captured
	// or assigned before.
	via []printing
	// out is the output that printed this hole, if a filter that is added there
	// changes the hole and no structure around it.
	out *liquid.Output
}

// A printing is one execution of an output.
type printing struct{ id, at, end int }

const nowhere = -1

// A value is what is known of a Liquid value.
type value struct {
	known  bool
	is     any     // the value itself, when it is known
	pieces []piece // what an output prints; nil for a known value that was not printed yet
}

func knownValue(v any) value { return value{known: true, is: v} }

func unknown(h hole) value {
	h.name = short(h.name)
	return value{pieces: []piece{{hole: &h, at: nowhere}}}
}

// hole returns the hole that the value consists of, or nil.
func (v value) hole() *hole {
	if !v.known && len(v.pieces) == 1 {
		return v.pieces[0].hole
	}
	return nil
}

// name identifies the value in conditions.
func (v value) name() string {
	if text, ok := v.is.(string); ok {
		return short("'" + text + "'")
	}
	if v.known {
		return short(fmt.Sprint(v.is))
	}
	if h := v.hole(); h != nil {
		return h.name
	}
	var b strings.Builder
	for _, pc := range v.pieces {
		if pc.hole != nil {
			b.WriteString("{{" + pc.hole.name + "}}")
		} else {
			b.WriteString(pc.text)
		}
	}
	return short(b.String())
}

// short keeps names from growing with every filter and round of a loop.
func short(name string) string {
	const most = 160
	if len(name) <= most {
		return name
	}
	sum := fnv.New64a()
	sum.Write([]byte(name))
	return name[:most/2] + "…" + strconv.FormatUint(sum.Sum64(), 36)
}

// what names a hole for a person.
func (pc piece) what() string {
	const readable = 60
	if pc.out != nil && len(pc.hole.name) > readable {
		return phrase(pc.out.Value)
	}
	return pc.hole.name
}

// mayBeEmpty reports whether an output of the value may print nothing.
func (v value) mayBeEmpty() bool {
	for _, pc := range v.pieces {
		if pc.hole == nil && pc.text != "" || pc.hole != nil && !pc.hole.empty {
			return false
		}
	}
	return true
}

// safety is that of the value's least safe part.
func (v value) safety() safety {
	least := plain
	for _, pc := range v.pieces {
		switch {
		case pc.hole == nil && !isPlain(pc.text):
			return raw
		case pc.hole != nil:
			least = min(least, pc.hole.safety, value{pieces: pc.hole.fallback}.safety())
			for _, choice := range pc.hole.either {
				least = min(least, value{pieces: choice}.safety())
			}
		}
	}
	return least
}

// structured reports whether the value holds JSON, from the template or from
// as_json_string.
func (v value) structured() bool {
	return slices.ContainsFunc(v.pieces, func(pc piece) bool {
		if pc.hole != nil {
			return pc.hole.shape == whole || slices.ContainsFunc(pc.hole.either, func(choice []piece) bool {
				return value{pieces: choice}.structured()
			})
		}
		return strings.ContainsAny(pc.text, `"{}[]`)
	})
}

// samples are what the hole may print where it is a number: those that are
// hardest to put something next to.
func (h *hole) samples() [2]string {
	switch {
	case h.seconds || h.moment:
		return [2]string{"1", "1"}
	case h.positive:
		return [2]string{"0", "1.5"}
	}
	return [2]string{"0", "-1.5"}
}

// isPlain reports whether text may stand in a JSON string as it is, and still
// may after letters were changed or cut.
func isPlain(text string) bool {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c == '"' || c == '\\' || c < ' ' {
			return false
		}
	}
	return true
}

// changed copies pieces, fallbacks included, with each hole replaced by what hole
// makes of a copy and each text by what text makes of it.
func changed(pieces []piece, hole func(*hole), text func(string) string) []piece {
	if pieces == nil {
		return nil
	}
	out := make([]piece, len(pieces))
	for i, pc := range pieces {
		if pc.hole != nil {
			h := *pc.hole
			h.fallback = changed(h.fallback, hole, text)
			h.either = eachChoice(h.either, func(choice []piece) []piece { return changed(choice, hole, text) })
			hole(&h)
			pc.hole = &h
		} else if t := text(pc.text); t != pc.text {
			pc.text, pc.exact = t, false
		}
		out[i] = pc
	}
	return out
}

// eachChoice copies texts of which one is printed, each of them changed.
func eachChoice(either [][]piece, change func([]piece) []piece) [][]piece {
	if either == nil {
		return nil
	}
	out := make([][]piece, len(either))
	for i, choice := range either {
		out[i] = change(choice)
	}
	return out
}

func sameText(text string) string { return text }

// placed returns the pieces as an output prints them: what had no place in the
// source yet gets the output's, and what had remembers the printing.
func (p *path) placed(pieces []piece, out *liquid.Output) []piece {
	p.w.printings++
	by := printing{p.w.printings, out.Pos().Offset, out.End().Offset}
	return placing{out, by, allInert(pieces, p.lang.inert)}.place(pieces)
}

// A placing is a printing with the output that it is by.
type placing struct {
	out *liquid.Output
	printing
	extendable bool // a filter could be added to the output
}

func (pl placing) place(pieces []piece) []piece {
	if pieces == nil {
		return nil
	}
	list := make([]piece, len(pieces))
	for i, pc := range pieces {
		if pc.at == nowhere {
			pc.at, pc.end, pc.exact = pl.at, pl.end, false
			if pl.extendable {
				pc.out = pl.out
			}
		}
		if h := pc.hole; h != nil && (h.fallback != nil || h.either != nil) {
			inner := *h
			inner.fallback = pl.place(h.fallback)
			inner.either = eachChoice(h.either, pl.place)
			pc.hole = &inner
		}
		pc.via = append(pc.via[:len(pc.via):len(pc.via)], pl.printing)
		list[i] = pc
	}
	return list
}

// allInert reports whether inert holds for all literal text in pieces, defaults
// aside.
func allInert(pieces []piece, inert func(text string) bool) bool {
	return !slices.ContainsFunc(pieces, func(pc piece) bool {
		if pc.hole == nil {
			return !inert(pc.text)
		}
		return slices.ContainsFunc(pc.hole.either, func(choice []piece) bool { return !allInert(choice, inert) })
	})
}
