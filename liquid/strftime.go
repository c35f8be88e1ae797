package liquid

import (
	"strconv"
	"strings"
	"time"
)

// maxWidth bounds the width that a directive may ask for, as in %99d.
const maxWidth = 1024

// A directive is one % of a format: flags, width, conversion.
type directive struct {
	pad    byte // 0: as usual, '0', ' ' or '-' for none
	upper  bool
	swap   bool
	colons int
	width  int
	verb   byte
}

// plainSeconds is what most messages ask for.
var plainSeconds = directive{verb: 's'}

// appendStrftime writes a time by a format as Ruby's Time#strftime knows it. The
// result, with what out holds already, may have at most so many bytes.
func appendStrftime(out []byte, t time.Time, format string, most int) ([]byte, error) {
	for format != "" {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			i = len(format)
		}
		out = append(out, format[:i]...)
		format = format[i:]
		if format == "" {
			break
		}
		d, n := parseDirective(format)
		if d.width > maxWidth {
			return nil, exceeded("the width in " + quote(format[:n]) + " is greater than " + strconv.Itoa(maxWidth))
		}
		if d == plainSeconds {
			out = strconv.AppendInt(out, t.Unix(), 10)
		} else if text, ok := d.text(t); ok {
			out = append(out, text...)
		} else {
			out = append(out, format[:n]...)
		}
		if len(out) > most {
			return nil, errBuilt
		}
		format = format[n:]
	}
	return out, nil
}

// parseDirective reads the directive that format begins with, and its length.
func parseDirective(format string) (directive, int) {
	var d directive
	i := 1
	for i < len(format) && d.flag(format[i]) {
		i++
	}
	for i < len(format) && isDigit(format[i]) {
		d.width = min(d.width*10+int(format[i]-'0'), maxWidth+1)
		i++
	}
	if i < len(format) && (format[i] == 'E' || format[i] == 'O') {
		i++
	}
	if i == len(format) {
		return d, i
	}
	d.verb = format[i]
	return d, i + 1
}

// flag takes a character as a flag if it is one.
func (d *directive) flag(c byte) bool {
	switch c {
	case '-', '0':
		d.pad = c
	case '_':
		d.pad = ' '
	case '^':
		d.upper = true
	case '#':
		d.swap = true
	case ':':
		d.colons++
	default:
		return false
	}
	return true
}

// composed gives the format that a directive stands for, "" for one that does not.
func composed(verb byte) string {
	switch verb {
	case 'c':
		return "%a %b %e %H:%M:%S %Y"
	case 'D', 'x':
		return "%m/%d/%y"
	case 'F':
		return "%Y-%m-%d"
	case 'T', 'X':
		return "%H:%M:%S"
	case 'R':
		return "%H:%M"
	case 'r':
		return "%I:%M:%S %p"
	case 'v':
		return "%e-%^b-%Y"
	}
	return ""
}

// text is what a directive prints; ok is false for one that is not known.
func (d directive) text(t time.Time) (text string, ok bool) {
	if d.colons > 0 && d.verb != 'z' {
		return "", false
	}
	if format := composed(d.verb); format != "" {
		out, err := appendStrftime(nil, t, format, maxWidth)
		// Two flags do nothing here.
		d.swap = false
		if d.pad == '-' {
			d.pad = 0
		}
		return d.letters(string(out)), err == nil
	}
	if n, width, fill, ok := d.number(t); ok {
		return d.padded(n, width, fill), true
	}
	switch d.verb {
	case 'A':
		return d.letters(t.Weekday().String()), true
	case 'a':
		return d.letters(t.Weekday().String()[:3]), true
	case 'B':
		return d.letters(t.Month().String()), true
	case 'b', 'h':
		return d.letters(t.Month().String()[:3]), true
	case 'p':
		if d.swap {
			return d.letters(strings.ToLower(t.Format("PM"))), true
		}
		return d.letters(t.Format("PM")), true
	case 'P':
		return d.letters(t.Format("pm")), true
	case 'Z':
		name, _ := t.Zone()
		if d.swap {
			name = strings.ToLower(name)
		}
		if name == "" {
			return "", true // also where a width is asked for
		}
		return d.letters(name), true
	case 'z':
		return d.offset(t), true
	case 'L':
		return d.fraction(t, 3), true
	case 'N':
		return d.fraction(t, 9), true
	case '%':
		return d.letters("%"), true
	case 'n':
		return d.letters("\n"), true
	case 't':
		return d.letters("\t"), true
	}
	return "", false
}

// number is the value of a directive that prints one, with its usual width and
// padding.
func (d directive) number(t time.Time) (n int64, width int, fill byte, ok bool) {
	if d.verb == 's' {
		return t.Unix(), 1, '0', true
	}
	year, month, day := t.Date()
	hour12 := (t.Hour()+11)%12 + 1
	weekday := int(t.Weekday())
	pick := func(n, width int, fill byte) (int64, int, byte, bool) { return int64(n), width, fill, true }
	switch d.verb {
	case 'Y':
		return pick(year, 4, '0')
	case 'C':
		return pick(year/100, 2, '0')
	case 'y':
		return pick(year%100, 2, '0')
	case 'm':
		return pick(int(month), 2, '0')
	case 'd':
		return pick(day, 2, '0')
	case 'e':
		return pick(day, 2, ' ')
	case 'j':
		return pick(t.YearDay(), 3, '0')
	case 'H':
		return pick(t.Hour(), 2, '0')
	case 'k':
		return pick(t.Hour(), 2, ' ')
	case 'I':
		return pick(hour12, 2, '0')
	case 'l':
		return pick(hour12, 2, ' ')
	case 'M':
		return pick(t.Minute(), 2, '0')
	case 'S':
		return pick(t.Second(), 2, '0')
	case 'u':
		return pick((weekday+6)%7+1, 1, '0')
	case 'w':
		return pick(weekday, 1, '0')
	case 'G', 'g', 'V':
		isoYear, isoWeek := t.ISOWeek()
		switch d.verb {
		case 'G':
			return pick(isoYear, 4, '0')
		case 'g':
			return pick(isoYear%100, 2, '0')
		}
		return pick(isoWeek, 2, '0')
	case 'U':
		return pick((t.YearDay()+6-weekday)/7, 2, '0')
	case 'W':
		return pick((t.YearDay()+6-(weekday+6)%7)/7, 2, '0')
	}
	return 0, 0, 0, false
}

// padded writes a number with the flags of the directive, or else the usual
// width and padding.
func (d directive) padded(n int64, width int, fill byte) string {
	digits := strconv.FormatInt(n, 10)
	if d.pad == '-' {
		return digits
	}
	if d.pad != 0 {
		fill = d.pad
	}
	if d.width > 0 {
		width = d.width
	}
	if len(digits) >= width {
		return digits
	}
	if fill == '0' && n < 0 {
		return "-" + strings.Repeat("0", width-len(digits)) + digits[1:]
	}
	return strings.Repeat(string(fill), width-len(digits)) + digits
}

// letters applies the flags for text.
func (d directive) letters(text string) string {
	if d.upper || d.swap && d.verb != 'p' && d.verb != 'Z' {
		text = strings.ToUpper(text)
	}
	if len(text) >= d.width || d.pad == '-' {
		return text
	}
	fill := " "
	if d.pad == '0' {
		fill = "0"
	}
	return strings.Repeat(fill, d.width-len(text)) + text
}

// fraction is the part of a second, with as many digits as the width says.
func (d directive) fraction(t time.Time, digits int) string {
	if d.width > 0 {
		digits = d.width
	}
	text := strconv.Itoa(t.Nanosecond() + 1e9)[1:]
	if digits <= len(text) {
		return text[:digits]
	}
	return text + strings.Repeat("0", digits-len(text))
}

// offset is the distance from UTC, with a colon for %:z and seconds for %::z.
func (d directive) offset(t time.Time) string {
	_, offset := t.Zone()
	sign := "+"
	if offset < 0 {
		sign, offset = "-", -offset
	}
	two := func(n int) string { return strconv.Itoa(n + 100)[1:] }
	hours, rest := two(offset/3600), two(offset/60%60)
	if d.colons > 0 {
		rest = ":" + rest
	}
	if d.colons > 1 {
		rest += ":" + two(offset%60)
	}
	missing := max(d.width-len(sign+hours+rest), 0)
	if d.pad != ' ' {
		return sign + strings.Repeat("0", missing) + hours + rest
	}
	if hours[0] == '0' {
		hours = hours[1:]
		missing++
	}
	return strings.Repeat(" ", missing) + sign + hours + rest
}
