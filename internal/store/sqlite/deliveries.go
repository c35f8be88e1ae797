package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"platen/internal/campaign"
	"platen/internal/event"
)

// Hits gives the oldest hits that wait to be planned, at most limit.
func (s *Store) Hits(ctx context.Context, limit int) (hits []campaign.Hit, err error) {
	err = s.read(ctx, func(c *sqlite.Conn) error {
		return query(c, "SELECT id, workspace, campaign, event, profile, refused FROM hits ORDER BY id LIMIT ?", func(row *sqlite.Stmt) error {
			hits = append(hits, campaign.Hit{
				ID: event.ID(row.ColumnInt64(0)), Workspace: row.ColumnInt64(1), Campaign: row.ColumnText(2),
				Event: event.ID(row.ColumnInt64(3)), Profile: event.ID(row.ColumnInt64(4)), Refused: row.ColumnText(5),
			})
			return nil
		}, limit)
	})
	if err != nil {
		return nil, fmt.Errorf("read hits: %w", err)
	}
	return hits, nil
}

// Plan turns hits into deliveries, or into rows that say why nothing is sent, in
// one transaction. A hit that is gone already was planned before: what belongs to
// it is not written again.
func (s *Store) Plan(ctx context.Context, plans []campaign.Plan) error {
	err := s.update(func(c *sqlite.Conn) error {
		for i := range plans {
			if err := query(c, "DELETE FROM hits WHERE id = ?", nil, plans[i].Hit); err != nil {
				return err
			}
			if c.Changes() == 0 {
				continue
			}
			if err := insertDelivery(c, &plans[i].Delivery); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store planned deliveries: %w", err)
	}
	return nil
}

func insertDelivery(c *sqlite.Conn, d *campaign.Delivery) error {
	made, err := columnsOf(d)
	if err != nil {
		return err
	}
	return query(c, `INSERT INTO deliveries (id, workspace, campaign, variant, profile, event, state, reason, detail,
			due, next, leased, created, finished, attempts, put_back, host, request, extras, calls)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?)`, nil,
		d.ID, d.Workspace, d.Campaign, d.Variant, d.Profile, d.Event, string(d.State), string(d.Reason), d.Detail,
		d.Due, d.Due, d.Created, d.Finished, d.Attempts, d.PutBack, d.Host, made.request, made.extras, made.calls)
}

// columns are what a delivery was rendered to, as JSON; nil for nothing.
type columns struct{ request, extras, calls []byte }

func columnsOf(d *campaign.Delivery) (made columns, err error) {
	if d.Request != nil {
		if made.request, err = json.Marshal(d.Request); err != nil {
			return made, err
		}
	}
	if len(d.Extras) > 0 {
		if made.extras, err = json.Marshal(d.Extras); err != nil {
			return made, err
		}
	}
	if len(d.Calls) > 0 {
		made.calls, err = json.Marshal(d.Calls)
	}
	return made, err
}

// SaveRequests keeps what deliveries were rendered to, before the first attempt.
func (s *Store) SaveRequests(ctx context.Context, rendered []campaign.Delivery) error {
	err := s.update(func(c *sqlite.Conn) error {
		for i := range rendered {
			made, err := columnsOf(&rendered[i])
			if err != nil {
				return err
			}
			err = query(c, "UPDATE deliveries SET host = ?, request = ?, extras = ?, calls = ? WHERE id = ?", nil,
				rendered[i].Host, made.request, made.extras, made.calls, rendered[i].ID)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store rendered requests: %w", err)
	}
	return nil
}

// Finish keeps what became of leased deliveries, with the attempts that were
// made, and gives up their leases. A result that comes too late, as another was
// stored since the lease, changes nothing.
func (s *Store) Finish(ctx context.Context, results []campaign.Result) error {
	err := s.update(func(c *sqlite.Conn) error {
		for i := range results {
			if err := finish(c, &results[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store the results of deliveries: %w", err)
	}
	return nil
}

func finish(c *sqlite.Conn, r *campaign.Result) error {
	d, a := &r.Delivery, r.Attempt
	made, err := columnsOf(&campaign.Delivery{Calls: d.Calls})
	if err != nil {
		return err
	}
	err = query(c, `UPDATE deliveries SET state = ?, reason = ?, detail = ?, next = ?, leased = 0, finished = ?, attempts = ?, put_back = ?, calls = ?
		WHERE id = ? AND state = 'queued' AND attempts = ? AND put_back <= ?`, nil,
		string(d.State), string(d.Reason), d.Detail, r.Next, d.Finished, d.Attempts, d.PutBack, made.calls, d.ID, r.AttemptsBefore(), d.PutBack)
	if err != nil || a == nil || c.Changes() == 0 {
		return err
	}
	return query(c, `INSERT INTO attempts (delivery, number, at, duration, status, error, message, response, remote)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, nil,
		a.Delivery, a.Number, a.At, a.Duration.Microseconds(), a.Status, string(a.Error), a.Message, a.Response, a.RemoteAddr)
}

const deliveryColumns = `id, workspace, campaign, variant, profile, event, state, reason, detail, due, created, finished, attempts, put_back, host,
	request, extras, calls`

func scanDelivery(row *sqlite.Stmt) (campaign.Delivery, error) {
	d := campaign.Delivery{
		ID: event.ID(row.ColumnInt64(0)), Workspace: row.ColumnInt64(1), Campaign: row.ColumnText(2), Variant: row.ColumnText(3),
		Profile: event.ID(row.ColumnInt64(4)), Event: event.ID(row.ColumnInt64(5)),
		State: campaign.State(row.ColumnText(6)), Reason: campaign.Reason(row.ColumnText(7)), Detail: row.ColumnText(8),
		Due: at(row.ColumnInt64(9)), Created: at(row.ColumnInt64(10)), Finished: at(row.ColumnInt64(11)),
		Attempts: row.ColumnInt(12), PutBack: row.ColumnInt(13), Host: row.ColumnText(14),
	}
	return d, errors.Join(fromJSON(row, 15, &d.Request), fromJSON(row, 16, &d.Extras), fromJSON(row, 17, &d.Calls))
}

// fromJSON reads a column, unless it is NULL.
func fromJSON(row *sqlite.Stmt, col int, into any) error {
	if row.ColumnIsNull(col) {
		return nil
	}
	return json.Unmarshal(blob(row, col), into)
}

// Deliveries gives the newest deliveries, and non-sends, of a workspace with their
// attempts, at most limit; of one event when event is not 0.
func (s *Store) Deliveries(ctx context.Context, workspace int64, of event.ID, limit int) (list []campaign.Activity, err error) {
	err = s.read(ctx, func(c *sqlite.Conn) error {
		err := query(c, "SELECT "+deliveryColumns+" FROM deliveries WHERE workspace = ?1 AND (?2 = 0 OR event = ?2) ORDER BY id DESC LIMIT ?3",
			func(row *sqlite.Stmt) error {
				d, err := scanDelivery(row)
				list = append(list, campaign.Activity{Delivery: d})
				return err
			}, workspace, of, limit)
		for i := 0; i < len(list) && err == nil; i++ {
			list[i].Tries, err = attemptsOf(c, list[i].ID)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read deliveries: %w", err)
	}
	return list, nil
}

func attemptsOf(c *sqlite.Conn, delivery event.ID) (attempts []campaign.Attempt, err error) {
	err = query(c, `SELECT delivery, number, at, duration, status, error, message, response, remote
		FROM attempts WHERE delivery = ? ORDER BY number`, func(row *sqlite.Stmt) error {
		attempts = append(attempts, campaign.Attempt{
			Delivery: event.ID(row.ColumnInt64(0)), Number: row.ColumnInt(1), At: at(row.ColumnInt64(2)),
			Duration: time.Duration(row.ColumnInt64(3)) * time.Microsecond, Status: row.ColumnInt(4),
			Error: campaign.Reason(row.ColumnText(5)), Message: row.ColumnText(6), Response: blob(row, 7), RemoteAddr: row.ColumnText(8),
		})
		return nil
	}, delivery)
	return attempts, err
}

// Pending counts the hits that wait to be planned and the deliveries that wait
// to be sent.
func (s *Store) Pending(ctx context.Context) (hits, deliveries int64, err error) {
	err = s.read(ctx, func(c *sqlite.Conn) error {
		return query(c, "SELECT (SELECT count(*) FROM hits), (SELECT count(*) FROM deliveries WHERE state = 'queued')", func(row *sqlite.Stmt) error {
			hits, deliveries = row.ColumnInt64(0), row.ColumnInt64(1)
			return nil
		})
	})
	return hits, deliveries, err
}

// EachDelivery calls yield for every delivery and non-send, oldest first.
func (s *Store) EachDelivery(ctx context.Context, yield func(*campaign.Delivery) error) error {
	return s.read(ctx, func(c *sqlite.Conn) error {
		return query(c, "SELECT "+deliveryColumns+" FROM deliveries ORDER BY id", func(row *sqlite.Stmt) error {
			d, err := scanDelivery(row)
			if err != nil {
				return err
			}
			return yield(&d)
		})
	})
}
