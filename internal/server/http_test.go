package server

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipe is a listener with one connection in memory.
type pipe struct{ conns chan net.Conn }

// piped serves a handler on a connection in memory and gives the client's end of it.
func piped(t *testing.T, h http.HandlerFunc) net.Conn {
	client, server := net.Pipe()
	l := pipe{make(chan net.Conn, 1)}
	l.conns <- server
	s := newHTTP(h, slog.New(slog.DiscardHandler))
	go s.Serve(l)
	t.Cleanup(func() {
		client.Close()
		s.Close()
	})
	return client
}

func (p pipe) Accept() (net.Conn, error) {
	c, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p pipe) Close() error {
	close(p.conns)
	return nil
}

func (p pipe) Addr() net.Addr { return &net.TCPAddr{} }

func TestAClientThatReadsNothingIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		client := piped(t, func(w http.ResponseWriter, _ *http.Request) {
			_, err := w.Write(make([]byte, 1<<20))
			ended <- err
		})
		asked := time.Now()
		fmt.Fprint(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(asked) != answerWithin {
			t.Errorf("the answer ended after %s with %v", time.Since(asked), err)
		}
		if _, err := io.Copy(io.Discard, client); err != nil || time.Since(asked) != answerWithin {
			t.Errorf("the connection ended after %s with %v", time.Since(asked), err)
		}
	})
}

func TestARequestThatArrivesSlowlyIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := piped(t, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			fmt.Fprint(w, string(body), err)
		})
		fmt.Fprint(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na")
		time.Sleep(readWithin - time.Second) // on the clock of the bubble
		fmt.Fprint(client, "b")
		answer, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(answer.Body); string(body) != "ab<nil>" || err != nil {
			t.Errorf("%q, %v", body, err)
		}
	})
}

func TestConnectionsAreLimited(t *testing.T) {
	r := start(t, t.TempDir(), func(s *Server) { s.maxConnections = 1 })
	defer r.ends()
	first, second := r.dial(), r.dial()
	if line, err := first.ask(time.Minute); err != nil || !strings.Contains(line, "200 OK") {
		t.Fatalf("the first: %q, %v", line, err)
	}
	if line, err := second.ask(50 * time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the second beside the first: %q, %v", line, err)
	}
	first.conn.Close()
	if line, err := second.ask(time.Minute); err != nil || !strings.Contains(line, "200 OK") {
		t.Errorf("the second after the first: %q, %v", line, err)
	}
}

// dialled is a connection to a running server.
type dialled struct {
	conn net.Conn
	r    *bufio.Reader
}

func (r *running) dial() dialled {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.Addr())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	return dialled{conn, bufio.NewReader(conn)}
}

// ask sends a request and gives the first line of what is answered within a time.
func (d dialled) ask(within time.Duration) (string, error) {
	d.conn.SetDeadline(time.Now().Add(within))
	fmt.Fprint(d.conn, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
	return d.r.ReadString('\n')
}
