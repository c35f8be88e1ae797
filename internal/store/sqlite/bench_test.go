package sqlite_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"platen/internal/campaign"
	"platen/internal/event"
	"platen/internal/ingest"
	"platen/internal/profile"
	"platen/internal/store/sqlite"
)

// BenchmarkIngest is the write path without HTTP: 256 submitters of one event of
// about 500 bytes each, of 100,000 people drawn by Zipf's law, every event with
// an id by which it would be recognised, answered after the sync.
func BenchmarkIngest(b *testing.B) {
	const submitters, people = 256, 100_000
	dir := b.TempDir()
	skipOnMemory(b, dir)
	ids := event.NewIDs(time.Now, 0)
	store, err := sqlite.Open(b.Context(), sqlite.Options{Dir: dir, IDs: ids})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	none := func(int64, string) []*campaign.Campaign { return nil }
	writer := ingest.NewWriter(store, none, ids, time.Now, slog.New(slog.DiscardHandler), func(err error) { b.Error(err) })
	var commits atomic.Int64
	writer.OnCommit(func(ingest.Committed) { commits.Add(1) })
	go writer.Run()
	defer writer.Close(b.Context())

	var next atomic.Int64
	var all sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu(b)
	for n := range submitters {
		all.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(n)))
			zipf := rand.NewZipf(random, 1.1, 10, people-1)
			for {
				i := next.Add(1)
				if i > int64(b.N) {
					return
				}
				accept := benchAccept(i, "user-"+strconv.FormatUint(zipf.Uint64(), 10), random)
				if err := writer.Submit(b.Context(), accept); err != nil || accept.Outcomes[0].Event == 0 {
					b.Errorf("event %d: %v %+v", i, err, accept.Outcomes)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	used := cpu(b) - before
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(used.Microseconds())/float64(b.N), "cpu-µs/event")
	b.ReportMetric(float64(b.N)/float64(commits.Load()), "events/commit")
}

func benchAccept(n int64, user string, random *rand.Rand) *ingest.Accept {
	now := time.Now()
	product := random.IntN(5000)
	properties := fmt.Appendf(nil, `{"categories":[{"id":"category-%d","url":"https://shop.example/c/%d"}],"meta":{"color":"green","size":"medium","material":"recycled"},`+
		`"title":"All-Purpose Cleaning Wipes, lemon and eucalyptus, %d","price":%d.99,"id":"%d","url":"https://shop.example/p/%d/cleaning-wipes"}`,
		product%40, product%40, product, product%90+1, product, product)
	key := ingest.NewSeenKey(1, "bench", ingest.ByMessageID, strconv.FormatInt(n, 36), 0)
	return &ingest.Accept{Workspace: 1, Source: "bench", Received: now.UnixMicro(), Items: []ingest.Item{{
		Who: profile.Who{UserID: user}, At: now.UnixMicro(), Key: &key, Raw: properties,
		Event: &event.Event{Kind: event.Track, Name: "product_viewed", At: now, OwnTime: true, TimeZone: "America/New_York",
			UserID: user, Properties: properties, Mapping: "movable-ink/product_viewed"},
	}}}
}

// skipOnMemory leaves out what a file system without real syncs would falsify.
func skipOnMemory(b *testing.B, dir string) {
	const tmpfs = 0x01021994 // statfs(2)
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		b.Fatal(err)
	}
	if s.Type == tmpfs {
		b.Skipf("%s is in memory, where a sync costs nothing; set TMPDIR to a directory on a disk", dir)
	}
}

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
