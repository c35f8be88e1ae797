package manage

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"platen/internal/fault"
	"platen/internal/loosejson"
	"platen/internal/reply"
)

var errTooLarge = fault.New(fault.TooLarge, "too_large", "the body is larger than %d bytes", MaxBody)

// decode reads the JSON object that a body must hold; unknown members are refused,
// so that a typing mistake does not pass for a default.
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := reply.ReadBody(w, r, MaxBody, errTooLarge)
	if err != nil {
		return err
	}
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return fault.New(fault.Invalid, "malformed_json", "the body is empty; send a JSON object")
	}
	if err := loosejson.Check(body); err != nil {
		return err
	}
	if body[0] != '{' {
		return fault.New(fault.Invalid, "wrong_type", "the body must be a JSON object")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	return readable(d.Decode(into))
}

// readable says in a person's words what does not fit the expected object.
func readable(err error) error {
	if err == nil {
		return nil
	}
	if wrong := new(json.UnmarshalTypeError); errors.As(err, &wrong) {
		return fault.New(fault.Invalid, "wrong_type", "%q must not be a JSON %s", wrong.Field, wrong.Value).
			In("/" + strings.ReplaceAll(wrong.Field, ".", "/"))
	}
	// encoding/json has no type for this error.
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fault.New(fault.Invalid, "unknown_field", "there is no member %s here", name)
	}
	return fault.New(fault.Invalid, "malformed_json", "the body does not fit this request").Because(err)
}
