package storetest

import (
	"fmt"
	"slices"
	"sync"

	"platen/internal/event"
)

// code reserves a code of the list "spring" for a message, "" when none is left.
func (f *fixture) code(message event.ID, codes ...string) string {
	f.Helper()
	code, ok, err := f.store.ReserveCode(f.Context(), workspace, "spring", message, codes)
	f.must(err)
	if ok != (code != "") {
		f.Errorf("%q is given, and the store says %v", code, ok)
	}
	return code
}

func codes(f *fixture) {
	all := []string{"A", "B", "C"}
	f.same("the first code", f.code(1, all...), "A")
	f.same("asked for again", f.code(1, all...), "A")
	f.same("of the next message", f.code(2, all...), "B")
	f.reopen()
	f.same("after a restart", f.code(1, all...), "A")
	f.same("of a message after it", f.code(3, all...), "C")
	for range 2 {
		f.same("when all are given", f.code(4, all...), "")
	}
	f.same("of one that has a code", f.code(2, all...), "B")
	f.same("of a list without codes", f.code(5), "")
	for _, other := range []struct {
		workspace int64
		list      string
	}{{workspace, "summer"}, {elsewhere, "spring"}} {
		code, ok, err := f.store.ReserveCode(f.Context(), other.workspace, other.list, 1, all)
		f.must(err)
		if code != "A" || !ok {
			f.Errorf("of the list %+v: %q, %v", other, code, ok)
		}
	}
}

// codesOfAChangedList takes codes out of a list, puts others in and has some come
// back: none is given twice, and none is forgotten.
func codesOfAChangedList(f *fixture) {
	f.same("the first", f.code(1, "A", "B", "C"), "A")
	f.same("the second", f.code(2, "A", "B", "C"), "B")
	f.same("where those that are given were taken out", f.code(3, "C", "D"), "C") // at the index that is next
	f.same("behind it", f.code(4, "C", "D"), "D")
	f.same("when all are given", f.code(5, "C", "D"), "")
	f.same("where they came back", f.code(5, "A", "B", "C", "D"), "")
	f.same("a new one in front", f.code(5, "E", "A", "B", "C", "D"), "E")
	f.same("the code of a message, taken out of the list", f.code(1, "X"), "A")
	f.same("the only one of another list", f.code(6, "X"), "X")
}

// codesAtOnce has many ask at a time, each twice.
func codesAtOnce(f *fixture) {
	const messages = 40
	var list []string
	for i := range messages {
		list = append(list, fmt.Sprintf("code-%02d", i))
	}
	given := make([]string, 2*messages)
	var asking sync.WaitGroup
	for i := range given {
		asking.Go(func() {
			code, _, err := f.store.ReserveCode(f.Context(), workspace, "spring", event.ID(1+i%messages), list)
			if err != nil {
				f.Error(err)
			}
			given[i] = code
		})
	}
	asking.Wait()
	f.same("what was told the second time", given[messages:], given[:messages])
	slices.Sort(given)
	f.same("the codes given", slices.Compact(given), list)
}
