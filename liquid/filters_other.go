package liquid

func init() {
	registerFilters(
		newFilter("default", 0, 1, "Gives its argument when the value is nil, false or empty; white space counts as a value.", `{{ nothing | default: 'x' }}`, "x", filterDefault).named("allow_false"),
		newFilter("date", 1, 1, "Prints a time by a format as of strftime; 'now' is the time of the render.", `{{ '2016-03-14' | date: '%b %-d, %y' }}`, "Mar 14, 16", filterDate),
		brazeFilter("time_zone", 1, 1, "Moves a time to a zone, for the date filter after it.", `{{ '2024-01-01 12:00:00 UTC' | time_zone: 'America/Chicago' | date: '%H:%M %z' }}`, "06:00 -0600", filterTimeZone),
		brazeFilter("json_escape", 0, 0, "Escapes a text to stand between the quotes of a JSON string.", `{{ 'a"b' | json_escape }}`, `a\"b`, onGrowing(len(`\u0000`), jsonEscape)),
		brazeFilter("json_parse", 0, 0, "Reads JSON text.", `{% assign v = '{"a":[1,2]}' | json_parse %}{{ v.a[1] }}`, "2", jsonParse),
		brazeFilter("as_json_string", 0, 0, "Writes a value as JSON text.", `{{ 'a,b' | split: ',' | as_json_string }}`, `["a","b"]`, asJSON),
		brazeFilter("property_accessor", 1, 1, "Gives one member of a map.", `{{ '{"a":42}' | json_parse | property_accessor: 'a' }}`, "42", propertyAccessor),
	)
}

func filterDefault(_ *Scope, in any, args []any) (any, error) {
	allowFalse := args[len(args)-1]
	var fallback any = ""
	if len(args) > 1 {
		fallback = args[0]
	}
	if in == false && Truthy(allowFalse) {
		return in, nil
	}
	if !Truthy(in) || isEmpty(in) {
		return fallback, nil
	}
	return in, nil
}

func jsonEscape(text string) string {
	return string(appendEscaped(make([]byte, 0, len(text)+8), text))
}

func jsonParse(s *Scope, in any, _ []any) (any, error) {
	text, err := s.text(in)
	if err != nil {
		return nil, err
	}
	// A value takes more room than its text: a list of empty maps the most.
	const worst = 32
	if err := s.build(worst * len(text)); err != nil {
		return nil, err
	}
	if err := s.work(len(text) / 16); err != nil {
		return nil, err
	}
	v, err := FromJSON([]byte(text))
	if err != nil {
		return nil, failed("this is not JSON: " + err.Error())
	}
	return v, nil
}

func asJSON(s *Scope, in any, _ []any) (any, error) {
	out, err := s.appendJSON(nil, in, 0)
	return string(out), err
}

func propertyAccessor(s *Scope, in any, args []any) (any, error) {
	v, err := s.index(in, args[0])
	return normal(v), err
}
