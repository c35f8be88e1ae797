package server

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/net/netutil"

	"platen/internal/asset"
	"platen/internal/campaign"
	"platen/internal/content"
	"platen/internal/delivery"
	"platen/internal/document"
	"platen/internal/engagement"
	"platen/internal/event"
	"platen/internal/fault"
	"platen/internal/ingest"
	"platen/internal/outbound"
	"platen/internal/planner"
	"platen/internal/store/sqlite"
)

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
	resting  names      // of workers that failed and will start again

	// The constants; tests set less.
	stopWithin     time.Duration
	maxConnections int
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
	s := &Server{
		config: c, log: c.Log, Store: store,
		stopping: make(chan struct{}), broken: make(chan error, 1), stopWithin: stopWithin, maxConnections: maxConnections,
	}
	err = s.removeDoor() // of a server that was killed
	if err == nil {
		err = s.wire(ctx, ids)
	}
	if err != nil {
		store.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) wire(ctx context.Context, ids *event.IDs) error {
	err := s.openDocuments(ctx)
	if err != nil {
		return err
	}
	if s.token, err = keepSecret(filepath.Join(s.config.Data, adminTokenFile), "remove it, and a new one is made"); err != nil {
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
		Client:      client, IDs: ids, Now: s.config.Now, UserAgent: "Platen/" + Version(), Log: s.log,
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
		return fault.New(fault.Invalid, "listen", "cannot listen on %q: %s; choose another address with --listen, as 127.0.0.1:8080",
			s.config.Listen, listenReason(err))
	}
	s.listener = netutil.LimitListener(l, s.maxConnections)
	if s.config.PublicURL == "" {
		s.config.PublicURL = "http://" + s.Addr()
	}
	s.http = newHTTP(s.routes(), s.log)
	return s.leaveDoor()
}

// listenReason leaves what the person wrote out of the error about it.
func listenReason(err error) string {
	var address *net.AddrError
	if errors.As(err, &address) {
		return address.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		return call.Err.Error()
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err.Error()
	}
	return err.Error()
}

// Addr is the address under which this machine reaches the server, as
// "127.0.0.1:8080". It is the one that Listen took; for one that stands for all
// interfaces it is the loopback address.
func (s *Server) Addr() string {
	taken := s.listener.Addr().(*net.TCPAddr).AddrPort()
	ip := taken.Addr().Unmap()
	if ip.IsUnspecified() {
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.AddrPortFrom(ip, taken.Port()).String()
}

// PublicURL is the address that people outside use, without a slash at its end.
func (s *Server) PublicURL() string { return s.config.PublicURL }

// Close gives up the store and the door of a server that has stopped.
func (s *Server) Close() error {
	var err error
	if s.listener != nil {
		s.listener.Close() // done already where Serve ran
		err = s.removeDoor()
	}
	return errors.Join(err, s.Store.Close())
}
