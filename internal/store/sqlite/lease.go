package sqlite

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"platen/internal/campaign"
	"platen/internal/event"
)

// Lease gives queued deliveries whose next attempt may start by now, the longest
// waiting first and at most limit, and holds them until the given time. Queues in
// busy are passed over.
//
// Each queue has its own stretch of the index, so that the backlog of one host,
// however long, is not walked through to find what waits for another.
func (s *Store) Lease(_ context.Context, now, until time.Time, busy []campaign.Queue, limit int) (leased []campaign.Delivery, err error) {
	err = s.update(func(c *sqlite.Conn) error {
		leased = nil
		queues, err := queuesWaiting(c)
		if err != nil {
			return err
		}
		var found []due
		for _, q := range queues {
			if slices.Contains(busy, q) {
				continue
			}
			if found, err = dueIn(c, q, now, limit, found); err != nil {
				return err
			}
		}
		slices.SortFunc(found, func(a, b due) int { return cmp.Or(cmp.Compare(a.since, b.since), cmp.Compare(a.id, b.id)) })
		for _, d := range found[:min(limit, len(found))] {
			err := query(c, "UPDATE deliveries SET leased = ? WHERE id = ? RETURNING "+deliveryColumns, func(row *sqlite.Stmt) error {
				d, err := scanDelivery(row)
				leased = append(leased, d)
				return err
			}, until, d.id)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("lease deliveries: %w", err)
	}
	return leased, nil
}

// HasDue says whether Lease would find something if no queue were busy. It reads
// only, so that an idle server does not write.
func (s *Store) HasDue(ctx context.Context, now time.Time) (found bool, err error) {
	err = s.read(ctx, func(c *sqlite.Conn) error {
		queues, err := queuesWaiting(c)
		for i := 0; i < len(queues) && err == nil && !found; i++ {
			var first []due
			first, err = dueIn(c, queues[i], now, 1, nil)
			found = len(first) > 0
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("look for due deliveries: %w", err)
	}
	return found, nil
}

// ReleaseLeases gives up all leases: at the start of the only process on the
// data, whoever held one is gone.
func (s *Store) ReleaseLeases(context.Context) error {
	return s.update(func(c *sqlite.Conn) error {
		return query(c, "UPDATE deliveries SET leased = 0 WHERE state = 'queued' AND leased <> 0", nil)
	})
}

// due is a delivery that may be leased, and since when.
type due struct {
	since int64 // unix microseconds
	id    event.ID
}

// dueInQueue and nextQueue walk the index deliveries_queue only.
const (
	dueInQueue = `SELECT max(next, leased), id FROM deliveries
		WHERE state = 'queued' AND workspace = ? AND host = ? AND max(next, leased) <= ?
		ORDER BY max(next, leased) LIMIT ?`
	nextQueue = `SELECT workspace, host FROM deliveries
		WHERE state = 'queued' AND (workspace, host) > (?, ?) ORDER BY workspace, host LIMIT 1`
)

// dueIn adds what is due in one queue, the longest waiting first.
func dueIn(c *sqlite.Conn, q campaign.Queue, now time.Time, limit int, found []due) ([]due, error) {
	err := query(c, dueInQueue, func(row *sqlite.Stmt) error {
		found = append(found, due{row.ColumnInt64(0), event.ID(row.ColumnInt64(1))})
		return nil
	}, q.Workspace, q.Host, now, limit)
	return found, err
}

// queuesWaiting gives the queues that hold anything, by a jump from each to the
// next.
func queuesWaiting(c *sqlite.Conn) (queues []campaign.Queue, err error) {
	last, more := campaign.Queue{}, true
	for more && err == nil {
		more = false
		err = query(c, nextQueue, func(row *sqlite.Stmt) error {
			last = campaign.Queue{Workspace: row.ColumnInt64(0), Host: row.ColumnText(1)}
			queues, more = append(queues, last), true
			return nil
		}, last.Workspace, last.Host)
	}
	return queues, err
}
