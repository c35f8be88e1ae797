package payload

import (
	"slices"
	"strconv"
	"strings"
)

// variables are what a path has assigned, by name and in order. They are never
// changed, so that paths can share them: with and without return others.
type variables []variable

type variable struct {
	name  string
	value value
	key   string // describes the value, to compare paths
}

func (vs variables) find(name string) (at int, found bool) {
	return slices.BinarySearchFunc(vs, name, func(v variable, name string) int { return strings.Compare(v.name, name) })
}

// get returns a variable's value.
func (vs variables) get(name string) (v value, ok bool) {
	at, found := vs.find(name)
	if !found {
		return value{}, false
	}
	return vs[at].value, true
}

// with returns the variables with one of them set.
func (vs variables) with(name string, v value) variables {
	var b strings.Builder
	describeValue(&b, v)
	set := variable{name, v, b.String()}
	at, found := vs.find(name)
	out := make(variables, 0, len(vs)+1)
	out = append(append(out, vs[:at]...), set)
	if found {
		at++
	}
	return append(out, vs[at:]...)
}

// alive returns the variables that are read behind an offset.
func (vs variables) alive(u *uses, offset int) variables {
	dead := func(v variable) bool { return !u.alive(v.name, offset) }
	if !slices.ContainsFunc(vs, dead) {
		return vs
	}
	return slices.DeleteFunc(slices.Clone(vs), dead)
}

// restored returns the variables with one of them as it was before.
func (vs variables) restored(name string, before variables) variables {
	if v, ok := before.get(name); ok {
		return vs.with(name, v)
	}
	at, found := vs.find(name)
	if !found {
		return vs
	}
	return slices.Delete(slices.Clone(vs), at, at+1)
}

func describeValue(b *strings.Builder, v value) {
	if v.known {
		b.WriteString(v.name())
	}
	for _, pc := range v.pieces {
		describePiece(b, pc)
	}
}

func describePiece(b *strings.Builder, pc piece) {
	b.WriteString("\x00" + strconv.Itoa(pc.at))
	if pc.hole == nil {
		b.WriteString("'" + pc.text)
		return
	}
	b.WriteByte('{')
	pc.hole.describe(b)
	for _, f := range pc.hole.fallback {
		describePiece(b, f)
	}
	for _, choice := range pc.hole.either {
		describeValue(b, value{pieces: choice})
	}
}
