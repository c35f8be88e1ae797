package liquid

import "iter"

// Map is a map that remembers the order in which its keys came, as a Ruby hash
// and a JSON object do. The zero value is empty and ready. A Map that was given
// to a render must not be changed while the render runs.
type Map struct {
	keys   []string
	values []any
	index  map[string]int // only from smallMap entries on
}

// smallMap is the size up to which looking at all keys beats hashing.
const smallMap = 8

// Get returns the value of a key.
func (m *Map) Get(key string) (value any, ok bool) {
	if i := m.find(key); i >= 0 {
		return m.values[i], true
	}
	return nil, false
}

// Set gives a key a value. A new key comes last, a known one keeps its place.
func (m *Map) Set(key string, value any) {
	if i := m.find(key); i >= 0 {
		m.values[i] = value
		return
	}
	m.keys = append(m.keys, key)
	m.values = append(m.values, value)
	if m.index != nil {
		m.index[key] = len(m.keys) - 1
	} else if len(m.keys) > smallMap {
		m.index = make(map[string]int, 2*len(m.keys))
		for i, k := range m.keys {
			m.index[k] = i
		}
	}
}

// reset forgets all entries. Their memory is used for the next ones.
func (m *Map) reset() {
	m.keys, m.values, m.index = m.keys[:0], m.values[:0], nil
}

// Len returns the number of keys.
func (m *Map) Len() int { return len(m.keys) }

// All yields the entries in order.
func (m *Map) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for i, k := range m.keys {
			if !yield(k, m.values[i]) {
				return
			}
		}
	}
}

func (m *Map) find(key string) int {
	if m.index != nil {
		if i, ok := m.index[key]; ok {
			return i
		}
		return -1
	}
	for i, k := range m.keys {
		if k == key {
			return i
		}
	}
	return -1
}
