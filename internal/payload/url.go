package payload

import "strings"

// urlText is a URL (RFC 3986). Values of the data may make all of it or its
// beginning; behind that they need url_param_escape.
type urlText struct{}

func (urlText) inert(text string) bool { return !strings.ContainsAny(text, ":/?#&=%+") }

func (urlText) regardless(p *path, h *hole) bool { return p.flat.regardless(h) }

func (u urlText) feed(p *path, pc piece) {
	f := &p.flat
	if pc.hole != nil {
		u.hole(p, pc)
		return
	}
	for i := range len(pc.text) {
		c := pc.text[i]
		if c <= ' ' {
			f.space(&pc, i)
			continue
		}
		u.closeGap(p)
		f.begun = true
		if c == '%' && i+2 < len(pc.text) && !isEscape(pc.text[i:]) {
			m := pc.mark(i)
			p.report(finding{rule: BadURL, severity: Error, at: m.at,
				message: "this % begins no escape; write %25 for a %", edits: m.replaced("%25")})
		}
		u.read(p, c, pc.mark(i))
	}
}

// closeGap reports white space in front of something.
func (urlText) closeGap(p *path) {
	f := &p.flat
	if f.gap.at == nowhere {
		return
	}
	found := finding{rule: BadURL, severity: Error, at: f.gap.at,
		message: "a URL may not hold a line break or a tab; keep Liquid tags from leaving one with {%- and -%}"}
	if f.gapText == " " {
		found.message, found.edits = "a URL may not hold a space; write %20 for one", f.gap.replaced("%20")
	}
	p.report(found)
	f.gap = markAt(nowhere)
}

// read takes a character at m.
func (u urlText) read(p *path, c byte, m mark) {
	f := &p.flat
	switch f.part {
	case inScheme:
		u.readScheme(p, c, m)
		return
	case inBase:
		f.word += string(c)
		if n := len("://"); len(f.word) > n {
			f.word = f.word[len(f.word)-n:]
		}
		switch {
		case f.word == "://":
			f.part, f.word = inHost, ""
			return
		case strings.HasSuffix(f.word, ":/"):
			return
		case c == '&':
			f.part = inName
			return
		}
	case inHost:
		if f.word = ""; strings.IndexByte("/?#", c) < 0 {
			u.inHost(p, nil)
			f.word = string(c)
		}
	}
	f.part = f.part.behind(c)
}

// behind returns the part behind a character.
func (of part) behind(c byte) part {
	switch {
	case of == inFragment || c == '#':
		return inFragment
	case of <= inPath && c == '?', of == inValue && c == '&':
		return inName
	case of <= inPath && c == '/':
		return inPath
	case of == inName && c == '=':
		return inValue
	}
	return of
}

func (urlText) readScheme(p *path, c byte, m mark) {
	const secure = "https://"
	f := &p.flat
	if f.word == "" {
		f.wordAt = m
	}
	f.word += strings.ToLower(string(c))
	switch {
	case f.word == "http://" || f.word == secure:
		f.part, f.word = inHost, ""
	case !strings.HasPrefix(secure, f.word) && !strings.HasPrefix("http://", f.word):
		p.report(finding{rule: BadURL, severity: Error, at: f.wordAt.at, message: "a URL begins with https:// or http://"})
		f.part, f.word = inBase, ""
	}
}

func (u urlText) hole(p *path, pc piece) {
	f := &p.flat
	u.closeGap(p)
	f.begun = true
	what := pc.what()
	switch f.part {
	case inScheme:
		f.part, f.word = inBase, ""
	case inHost:
		u.inHost(p, &pc)
	case inPath:
		p.unescaped(pc, fitsPath, "a /, ?, # or space in "+what+" would change the path")
	case inName:
		p.unescaped(pc, fitsName, "a &, =, # or space in "+what+" would change the parameters")
	case inValue:
		p.unescaped(pc, fitsValue, "a &, #, + or space in "+what+" would change the parameters")
	case inFragment:
		p.unescaped(pc, fitsFragment, "a #, % or space in "+what+" would break the URL")
	}
}

// inHost takes an output in a host, nil for a literal character. An output that is
// all of the host is taken to be meant as it is.
func (urlText) inHost(p *path, pc *piece) {
	f := &p.flat
	first := f.host
	if first == nil && !f.named && pc != nil {
		f.host = pc
		return
	}
	f.host, f.named = nil, true
	if first != nil {
		p.unescaped(*first, fitsHost, otherAddress(first))
	}
	switch {
	case pc == nil:
	case f.mayEndHost():
		p.mayBePath(pc)
	default:
		p.unescaped(*pc, fitsHost, otherAddress(pc))
	}
	f.word = ""
}

func otherAddress(pc *piece) string {
	return "a / or @ in " + pc.what() + " would send this to another address"
}

// mayEndHost reports whether the host may end here: behind literal text of which
// the last character, kept in word, does not call for more.
func (f *flat) mayEndHost() bool { return f.word != "" && !strings.Contains(".-:@", f.word) }

// mayBePath reports an output behind a host, which may be a path with its slashes:
// only a person knows.
func (p *path) mayBePath(pc *piece) {
	if pc.hole.opaque || pc.hole.prints()&^fitsHost == 0 {
		return
	}
	p.report(finding{rule: Unescaped, severity: Warning, at: pc.at,
		message: otherAddress(pc) + "; if it is a path, write the / in front of it here, else " + pc.wayOut("url_param_escape")})
}

func (urlText) finish(p *path) {
	switch f := &p.flat; {
	case !f.begun:
		p.report(finding{rule: BadURL, severity: Error, at: 0,
			message: "there is no URL; print one, or end with {% abort_message %}"})
	case f.part == inScheme:
		p.report(finding{rule: BadURL, severity: Error, at: f.wordAt.at, message: "a URL begins with https:// or http://"})
	}
}
