package server

import (
	"context"
	"errors"
	"sync"
	"time"
)

// stopWithin is how long a stop waits for requests and deliveries under way. What
// is not finished by then stays queued.
const stopWithin = 20 * time.Second

// Serve runs until ctx ends, then stops: no new connections, requests under way
// are answered, everything accepted is committed, attempts under way are finished
// or stay queued. It gives an error when the store failed.
func (s *Server) Serve(ctx context.Context) error {
	if err := s.Store.ReleaseLeases(ctx); err != nil {
		return err
	}
	heapRoom()
	work, stopWork := context.WithCancel(context.Background())
	defer stopWork()
	var running sync.WaitGroup
	if !s.config.WithoutWorkers {
		s.startWorkers(work, &running)
	}
	running.Go(s.Writer.Run)
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(s.listener) }()
	s.log.Info("serving", "address", s.listener.Addr().String(), "public_url", s.PublicURL(), "data", s.config.Data)

	var failure error
	select {
	case <-ctx.Done():
		s.log.Info("stopping")
	case failure = <-s.broken:
		s.log.Error("stopping: what is accepted can no longer be kept", "error", failure)
	case failure = <-served:
	}
	close(s.stopping)
	err := errors.Join(failure, s.stop(stopWork, &running))
	s.log.Info("stopped")
	return err
}

// stop ends everything in the order of the work: requests, deliveries, and then
// what they left to be written. A slow client or receiver is no failure: it is
// cut off, and what it waited for stays queued or is sent again by the client.
func (s *Server) stop(stopWork context.CancelFunc, running *sync.WaitGroup) error {
	patience, cancel := context.WithTimeout(context.Background(), s.stopWithin)
	defer cancel()
	err := s.http.Shutdown(patience)
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("requests were cut off: they were not finished in time", "seconds", s.stopWithin.Seconds())
		err = s.http.Close()
	}
	if !s.config.WithoutWorkers {
		switch late := s.Delivery.Close(patience); {
		case errors.Is(late, context.DeadlineExceeded):
			s.log.Warn("deliveries were cut off: they stay queued", "seconds", s.stopWithin.Seconds())
		default:
			err = errors.Join(err, late)
		}
		err = errors.Join(err, s.recorder.Close(context.Background()))
	}
	err = errors.Join(err, s.Writer.Close(context.Background()))
	stopWork()
	running.Wait()
	return err
}
