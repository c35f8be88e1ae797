package engage

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"platen/internal/fault"
	"platen/internal/ingest"
	"platen/internal/profile"
)

// maxText is the length in characters of the longest name and of the longest
// string value (spec 4.1).
const maxText = 255

func tooLong(s string) bool { return utf8.RuneCountInString(s) > maxText }

// notAttributes are the keys of an attributes object that set nothing.
var notAttributes = []string{
	"external_id", "user_alias", "braze_id",
	"_update_existing_only", "_merge_objects", "push_token_import",
}

// readAttributes reads one object of the attributes array. Fields of the profile
// and custom attributes share one namespace, so a custom attribute cannot hide a
// field.
func readAttributes(o object, received time.Time) (ingest.Item, []*fault.Error, error) {
	item, err := readTarget(o)
	if err != nil {
		return item, nil, err
	}
	merge, err := o.flag("_merge_objects", false)
	if err != nil {
		return item, nil, err
	}
	item.At = received.UnixMicro()
	s := sheet{merge: merge}
	taken := make(map[string]bool, len(o))
	for _, key := range slices.Sorted(maps.Keys(o)) {
		name := strings.TrimSpace(key)
		if slices.Contains(notAttributes, name) || identifies(item.Who, name) {
			continue
		}
		if taken[name] {
			return item, nil, notValid(key, "stands there twice: spaces around a name do not count")
		}
		taken[name] = true
		if err := s.read(name, o, key); err != nil {
			return item, nil, err
		}
	}
	item.Set = s.set
	return item, s.left, nil
}

// readTarget reads whom an object is about and whether it may make a profile.
// For an alias it may not, unless the object says so.
func readTarget(o object) (item ingest.Item, err error) {
	if item.Who, err = readWho(o); err != nil {
		return item, err
	}
	item.ExistingOnly, err = o.flag("_update_existing_only", item.Who.Alias != "")
	return item, err
}

// identifies says whether a field was used as the identifier.
func identifies(who profile.Who, field string) bool {
	return field == "email" && who.Email != "" || field == "phone" && who.Phone != ""
}

// sheet gathers what one attributes object sets.
type sheet struct {
	merge bool // _merge_objects
	set   []profile.Setting
	left  []*fault.Error // why something was left out of it
}

// read takes one attribute; an error refuses the whole object.
func (s *sheet) read(name string, o object, key string) error {
	raw := o[key]
	switch field, known := fields[name]; {
	case name == "" || tooLong(name):
		return notValid(key, "is no name: one has 1 to %d characters", maxText)
	case absent(raw):
		s.put(name, "null")
		return nil
	case known:
		return field(s, name, raw)
	default:
		return s.custom(name, raw)
	}
}

// put sets an attribute to a compact JSON value.
func (s *sheet) put(name, value string) {
	s.set = append(s.set, profile.Setting{Name: name, Value: value})
}

// change sets an attribute to what f makes of the value that holds.
func (s *sheet) change(name string, f change) {
	s.set = append(s.set, profile.Setting{Name: name, Change: f})
}

// leave notes that an attribute was not taken though its object was, as the
// original does without a word.
func (s *sheet) leave(name, reason, format string, args ...any) {
	s.left = append(s.left, fault.Refused(reason, format, args...).In(pointer(name)))
}
