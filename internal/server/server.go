package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"platen/internal/asset"
	"platen/internal/campaign"
	"platen/internal/collector"
	"platen/internal/content"
	"platen/internal/delivery"
	"platen/internal/document"
	"platen/internal/engage"
	"platen/internal/engagement"
	"platen/internal/event"
	"platen/internal/fault"
	"platen/internal/ingest"
	"platen/internal/manage"
	"platen/internal/outbound"
	"platen/internal/planner"
	"platen/internal/reply"
	"platen/internal/store/sqlite"
	"platen/internal/workspace"
)

// stopWithin is how long a stop waits for requests and deliveries under way. What
// is not finished by then stays queued.
const stopWithin = 20 * time.Second

// Server is the whole program on one store. Open makes it, Serve runs it until
// its context ends, Close gives up the store.
type Server struct {
	config Config
	log    *slog.Logger

	Store     *sqlite.Store
	Registry  *document.Registry
	Documents *document.Service
	Writer    *ingest.Writer
	Delivery  *delivery.Sender
	Content   *content.Renderer

	repair   *ingest.Repair
	planner  *planner.Planner
	photos   *asset.Fetcher
	recorder *engagement.Recorder

	listener net.Listener
	http     *http.Server
	token    string
	stopping chan struct{}
	broken   chan error // the store failed: stop and exit non-zero
}

// Open opens the store and prepares everything; nothing runs yet.
func Open(ctx context.Context, c Config) (*Server, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	ids := event.NewIDs(c.Now, 0)
	store, err := sqlite.Open(ctx, sqlite.Options{Dir: c.Data, IDs: ids})
	if err != nil {
		return nil, err
	}
	s := &Server{config: c, log: c.Log, Store: store, stopping: make(chan struct{}), broken: make(chan error, 1)}
	if err := s.wire(ctx, ids); err != nil {
		store.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) wire(ctx context.Context, ids *event.IDs) error {
	sealer, err := s.config.sealer()
	if err != nil {
		return err
	}
	if s.token, err = keepSecret(filepath.Join(s.config.Data, "admin.token")); err != nil {
		return err
	}
	s.Registry = document.NewRegistry(s.Store, sealer)
	if err := s.Registry.Reload(ctx); err != nil {
		return err
	}
	s.Documents = document.NewService(s.Registry, rand.Reader, s.config.Now)
	campaigns := func(workspace int64, name string) []*campaign.Campaign {
		return s.Registry.Current().LiveCampaigns(workspace, name)
	}
	s.Writer = ingest.NewWriter(s.Store, campaigns, ids, s.config.Now, s.log, s.fail)
	s.repair = ingest.NewRepair(s.Store, s.Writer)
	client := outbound.New(outbound.Options{UserAgent: "Platen/" + Version()})
	s.Delivery = delivery.New(s.Store, delivery.Options{
		Definitions: func() delivery.Definitions { return s.Registry.Current() },
		Client:      client, IDs: ids, Now: s.config.Now, UserAgent: "Platen/" + Version(),
	})
	campaign := func(id string) (*campaign.Campaign, bool) { return s.Registry.Current().Campaign(id) }
	s.planner = planner.New(s.Store, campaign, ids, s.config.Now, s.Delivery.Wake)
	s.photos = asset.NewFetcher(s.Store, s.Registry, client, s.config.Now, s.log)
	s.recorder = engagement.NewRecorder(s.Store, ids, s.config.Now, s.log)
	s.Content, err = content.New(s.Store, s.Registry, s.recorder, s.config.Now, s.log)
	return err
}

// Listen takes the address, so that a port in use is told before anything runs.
func (s *Server) Listen() error {
	l, err := net.Listen("tcp", s.config.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fault.New(fault.Conflict, "port_in_use", "the address %s is in use by another program; choose another with --listen", s.config.Listen)
	}
	if err != nil {
		return fault.New(fault.Invalid, "listen", "cannot listen on %s: %v; choose another address with --listen", s.config.Listen, err)
	}
	s.listener = l
	if s.config.PublicURL == "" {
		s.config.PublicURL = "http://" + l.Addr().String()
	}
	s.http = &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		IdleTimeout:       120 * time.Second,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	return s.leaveDoor()
}

// Addr is the address that Listen took, as "127.0.0.1:8080".
func (s *Server) Addr() string { return s.listener.Addr().String() }

// PublicURL is the address that people outside use, without a slash at its end.
func (s *Server) PublicURL() string { return s.config.PublicURL }

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	live := s.Registry.Current
	collector.New(live, s.Writer, s.config.Now, s.log).Register(mux)
	keys := func(token string) (*workspace.APIKey, bool) { return live().APIKey(token) }
	engage.New(keys, s.Writer, s.config.Now, s.log).Register(mux)
	content.NewHandler(s.Content, s.recorder, s.config.Now).Register(mux)
	manage.New(s.Store, live, s.Documents, s.Content, s.Delivery, s.token, s.config.Now, s.log).Register(mux)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		reply.JSON(w, http.StatusOK, map[string]string{"status": "ok", "version": Version()})
	})
	mux.HandleFunc("GET /readyz", s.ready)
	return recovered(mux, s.log)
}

// ready says whether requests would be served: the store answers, and the server
// is not stopping.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	status, text := http.StatusOK, "ready"
	select {
	case <-s.stopping:
		status, text = http.StatusServiceUnavailable, "stopping"
	default:
		if err := s.Store.Ping(r.Context()); err != nil {
			status, text = http.StatusServiceUnavailable, "the store does not answer"
		}
	}
	reply.JSON(w, status, map[string]any{"status": text, "waiting": s.Writer.Waiting()})
}

// recovered answers 500 where a handler panics, and logs it once.
func recovered(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			log.Error("a handler panicked", "method", r.Method, "pattern", r.Pattern, "panic", fmt.Sprint(p))
			f := fault.From(errors.New("panic"))
			reply.JSON(w, f.Status(), map[string]string{"message": f.Safe()})
		}()
		next.ServeHTTP(w, r)
	})
}

// Serve runs until ctx ends, then stops: no new connections, requests under way
// are answered, everything accepted is committed, attempts under way are finished
// or stay queued. It gives an error when the store failed.
func (s *Server) Serve(ctx context.Context) error {
	if err := s.Store.ReleaseLeases(ctx); err != nil {
		return err
	}
	work, stopWork := context.WithCancel(context.Background())
	defer stopWork()
	var running sync.WaitGroup
	running.Go(s.Writer.Run)
	if !s.config.WithoutWorkers {
		s.startWorkers(work, &running)
	}
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(s.listener) }()
	s.log.Info("serving", "address", s.Addr(), "public_url", s.PublicURL(), "data", s.config.Data)

	var failure error
	select {
	case <-ctx.Done():
		s.log.Info("stopping")
	case failure = <-s.broken:
		s.log.Error("stopping: what is accepted can no longer be kept", "error", failure)
	case failure = <-served:
	}
	close(s.stopping)
	return errors.Join(failure, s.stop(stopWork, &running))
}

// startWorkers runs what works in the background. Each wakes the next.
func (s *Server) startWorkers(ctx context.Context, running *sync.WaitGroup) {
	s.Writer.OnCommit(func(c ingest.Committed) {
		if c.Hits > 0 {
			s.planner.Wake()
		}
		if c.Photos > 0 {
			s.photos.Wake()
		}
		if c.Stale {
			s.repair.Wake()
		}
	})
	for _, run := range []func(context.Context) error{
		s.repair.Run, s.planner.Run, s.Delivery.Run, s.forget,
	} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				s.fail(err)
			}
		})
	}
	running.Go(func() { s.photos.Run(ctx) })
	running.Go(func() { s.recorder.Run(ctx) })
}

// fail stops the server because its store failed; only the first reason counts.
// What was accepted is queued, and goes on when the server is started again.
func (s *Server) fail(err error) {
	select {
	case s.broken <- err:
	default:
	}
}

// forget drops ids that were seen more than a day ago.
func (s *Server) forget(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for worked := true; worked && ctx.Err() == nil; {
			var err error
			if worked, err = s.Store.ForgetSeen(s.config.Now()); err != nil {
				return err
			}
		}
	}
}

func (s *Server) stop(stopWork context.CancelFunc, running *sync.WaitGroup) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if !s.config.WithoutWorkers {
		err = errors.Join(err, s.Delivery.Close(ctx), s.recorder.Close(ctx))
	}
	err = errors.Join(err, s.Writer.Close(ctx))
	stopWork()
	running.Wait()
	return err
}

// Close gives up the store and the door of a server that has stopped.
func (s *Server) Close() error {
	if s.listener != nil {
		s.listener.Close()
		os.Remove(filepath.Join(s.config.Data, doorFile))
	}
	return s.Store.Close()
}
