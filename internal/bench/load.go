package bench

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"
)

// Load is what one client process is told to send.
type Load struct {
	Address     string // host:port
	Path        string
	Username    string
	Password    string
	Connections int
	Profiles    int
	Duration    time.Duration
	Seed        uint64 // also makes the message ids of this run unlike any other's
}

// LoadResult is what a client process reports: one line of JSON.
type LoadResult struct {
	Answered   int64   `json:"answered"` // with 200
	Refused    int64   `json:"refused"`  // with anything else
	Seconds    float64 `json:"seconds"`
	P50Millis  float64 `json:"p50_ms"`
	P99Millis  float64 `json:"p99_ms"`
	FirstError string  `json:"first_error,omitempty"`
}

// Run sends one event a request on kept-alive connections, each waiting for its
// answer, until the time is over.
func (l Load) Run() LoadResult {
	var once sync.Once
	var firstError string
	count := newTally(l.Connections)
	var clients sync.WaitGroup
	for i := range l.Connections {
		clients.Go(func() {
			if err := l.connection(i, count); err != nil {
				once.Do(func() { firstError = err.Error() })
			}
		})
	}
	clients.Wait()
	result := count.result()
	result.FirstError = firstError
	return result
}

func (l Load) connection(n int, count *tally) error {
	c, err := net.Dial("tcp", l.Address)
	if err != nil {
		return err
	}
	defer c.Close()
	until := count.started.Add(l.Duration)
	events := NewEvents(l.Profiles, l.Seed, uint64(n))
	head := l.head()
	r := bufio.NewReader(c)
	var request []byte
	for {
		sent := time.Now()
		if sent.After(until) {
			return nil
		}
		body := events.Next()
		request = append(request[:0], head...)
		request = strconv.AppendInt(request, int64(len(body)), 10)
		request = append(request, "\r\n\r\n"...)
		request = append(request, body...)
		if _, err := c.Write(request); err != nil {
			return err
		}
		status, err := readAnswer(r)
		if err != nil {
			return err
		}
		count.add(n, sent, status == 200)
	}
}

func (l Load) head() []byte {
	auth := base64.StdEncoding.EncodeToString([]byte(l.Username + ":" + l.Password))
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Basic %s\r\nContent-Type: application/json\r\nContent-Length: ",
		l.Path, l.Address, auth)
}

// readAnswer reads an answer that has a Content-Length. It is not net/http's
// reader, so that the client takes little from the two cores it shares with the
// server.
func readAnswer(r *bufio.Reader) (status int, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 {
		return 0, fmt.Errorf("no status line: %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, fmt.Errorf("no status line: %q", line)
	}
	length := 0
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		}
	}
	_, err = io.CopyN(io.Discard, r, int64(length))
	return status, err
}

// Events makes the bodies of one connection: product views of about 500 bytes, of
// people drawn by Zipf's law, each with an id of its own.
type Events struct {
	people *rand.Zipf
	random *rand.Rand
	prefix string
	n      int
	buf    []byte
}

// NewEvents makes a source of bodies; two with the same seed and number are alike.
func NewEvents(profiles int, seed, number uint64) *Events {
	random := rand.New(rand.NewPCG(seed, number))
	return &Events{
		people: rand.NewZipf(random, 1.1, 10, uint64(profiles-1)), random: random,
		prefix: strconv.FormatUint(seed, 36) + "-" + strconv.FormatUint(number, 36) + "-",
	}
}

// Person draws a user id.
func (e *Events) Person() string { return "user-" + strconv.FormatUint(e.people.Uint64(), 10) }

// MessageID gives the id of the next event.
func (e *Events) MessageID() string {
	e.n++
	return e.prefix + strconv.Itoa(e.n)
}

// Properties gives the properties of one product view. The shelf, 0 to 9, is what
// the campaigns ask for.
func (e *Events) Properties(b []byte) []byte {
	product := e.random.IntN(5000)
	return fmt.Appendf(b, `{"categories":[{"id":"category-%d","url":"https://shop.example/c/%d"}],"meta":{"color":"green","size":"medium","material":"recycled"},`+
		`"title":"All-Purpose Cleaning Wipes, lemon and eucalyptus, %d","price":%d.99,"id":"%d","shelf":%d,"url":"https://shop.example/p/%d/cleaning-wipes"}`,
		product%40, product%40, product, product%90+1, product, e.random.IntN(10), product)
}

// Next gives the next body; it is valid until the call after.
func (e *Events) Next() []byte {
	b := append(e.buf[:0], `{"type":"track","event":"product_viewed","user_id":"`...)
	b = append(b, e.Person()...)
	b = append(b, `","message_id":"`...)
	b = append(b, e.MessageID()...)
	b = append(b, `","timestamp":`...)
	b = strconv.AppendInt(b, time.Now().UnixMilli(), 10)
	b = append(b, `,"timezone":"America/New_York","properties":`...)
	b = e.Properties(b)
	e.buf = append(b, '}')
	return e.buf
}

// Print writes the result as the parent process reads it.
func (r LoadResult) Print(w io.Writer) error { return json.NewEncoder(w).Encode(r) }
