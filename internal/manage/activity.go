package manage

import (
	"net/http"
	"time"
	"unicode/utf8"

	"platen/internal/campaign"
	"platen/internal/event"
	"platen/internal/fault"
	"platen/internal/personalize"
	"platen/internal/profile"
	"platen/internal/reply"
)

// Delivery is one message, or the row that says why there is none.
type Delivery struct {
	ID           string     `json:"id"`                      // the webhook-id
	Campaign     string     `json:"campaign"`                // its id
	CampaignName string     `json:"campaign_name,omitempty"` // unless it was removed
	Variant      string     `json:"variant,omitempty"`
	Profile      string     `json:"profile"`
	Event        string     `json:"event"`
	State        string     `json:"state"`
	Status       int        `json:"status,omitempty"` // of the last answer, 0 when there was none
	Reason       string     `json:"reason,omitempty"`
	Detail       string     `json:"detail,omitempty"`
	Created      time.Time  `json:"created"`
	Finished     *time.Time `json:"finished,omitempty"`
	Request      *Request   `json:"request,omitempty"`
	Attempts     []Attempt  `json:"attempts"`
	Outside
}

// Outside is what a message asked for from outside, and what is kept with it.
type Outside struct {
	Extras map[string]string `json:"message_extras,omitempty"`
	// Failed are calls of connected content that had no usable answer.
	Failed []Call `json:"connected_content,omitempty"`
}

// Call is a call of connected content that had no usable answer.
type Call struct {
	Time   time.Time `json:"time"`
	Method string    `json:"method"`
	URL    string    `json:"url"` // without the values of its query
	Status int       `json:"status,omitempty"`
	Millis float64   `json:"duration_ms"`
	Why    string    `json:"why"`
}

// Request is what was sent, without credentials.
type Request struct {
	Method  string      `json:"method"`
	URL     string      `json:"url"`
	Headers [][2]string `json:"headers"`
	Body    string      `json:"body"`
}

// Attempt is one try over HTTP.
type Attempt struct {
	Number   int       `json:"number"`
	Time     time.Time `json:"time"`
	Millis   float64   `json:"duration_ms"`
	Status   int       `json:"status"`
	Error    string    `json:"error,omitempty"`
	Message  string    `json:"message,omitempty"`
	Response string    `json:"response,omitempty"`
}

func (h *Handler) deliveries(w http.ResponseWriter, r *request) error {
	limit, err := limitOf(r, 50)
	if err != nil {
		return err
	}
	var of event.ID
	if text := r.URL.Query().Get("event"); text != "" {
		if of, err = event.ParseIDText(text); err != nil {
			return fault.New(fault.Invalid, "bad_id", "event %.40q is no event id: %v", text, err)
		}
	}
	list, err := h.store.Deliveries(r.Context(), r.workspace.ID, of, limit)
	if err != nil {
		return err
	}
	shown := make([]Delivery, len(list))
	for i := range list {
		shown[i] = h.showDelivery(&list[i])
	}
	reply.JSON(w, http.StatusOK, map[string]any{"deliveries": shown})
	return nil
}

func (h *Handler) showDelivery(a *campaign.Activity) Delivery {
	d := Delivery{
		ID: a.WebhookID(), Campaign: a.Campaign, Variant: a.Variant, Profile: profile.BrazeIDOf(a.Profile), Event: a.Event.String(),
		State: string(a.State), Reason: string(a.Reason), Detail: a.Detail, Created: a.Created, Attempts: []Attempt{},
		Outside: showOutside(a.Extras, a.Calls),
	}
	if c, ok := h.live().Campaign(a.Campaign); ok {
		d.CampaignName = c.Name
	}
	if !a.Finished.IsZero() {
		d.Finished = &a.Finished
	}
	if a.Request != nil {
		d.Request = showRequest(a.Request)
	}
	for i := range a.Tries {
		d.Attempts = append(d.Attempts, showAttempt(&a.Tries[i]))
		d.Status = a.Tries[i].Status
	}
	return d
}

func showRequest(r *campaign.Request) *Request {
	return &Request{Method: r.Method, URL: r.URL, Headers: r.ShownHeader(), Body: string(r.Body)}
}

func showAttempt(a *campaign.Attempt) Attempt {
	return Attempt{
		Number: a.Number, Time: a.At, Millis: millis(a.Duration), Status: a.Status,
		Error: string(a.Error), Message: a.Message, Response: text(a.Response),
	}
}

func showOutside(extras map[string]string, calls []personalize.Call) Outside {
	o := Outside{Extras: extras}
	for _, c := range calls {
		o.Failed = append(o.Failed, Call{Time: c.At, Method: c.Method, URL: c.URL, Status: c.Status, Millis: millis(c.Duration), Why: c.Why})
	}
	return o
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// text shows bytes as text: a receiver may answer with anything.
func text(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return string([]rune(string(b)))
}

// Quarantined is one refused event.
type Quarantined struct {
	ID       string    `json:"id"`
	Source   string    `json:"source"`
	Received time.Time `json:"received"`
	Event    string    `json:"event,omitempty"`
	Reason   string    `json:"reason"`
	Message  string    `json:"message"`
	Pointer  string    `json:"pointer,omitempty"`
	Raw      string    `json:"raw"`
}

func (h *Handler) quarantine(w http.ResponseWriter, r *request) error {
	limit, err := limitOf(r, 50)
	if err != nil {
		return err
	}
	rows, err := h.store.Quarantined(r.Context(), r.workspace.ID, limit)
	if err != nil {
		return err
	}
	shown := make([]Quarantined, len(rows))
	for i, q := range rows {
		shown[i] = Quarantined{ID: q.ID.String(), Source: q.Source, Received: micros(q.Received), Event: q.Event,
			Reason: q.Reason, Message: q.Message, Pointer: q.Pointer, Raw: text(q.Raw)}
	}
	reply.JSON(w, http.StatusOK, map[string]any{"quarantine": shown})
	return nil
}
