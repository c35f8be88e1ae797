package server

import "sync"

// heapRoom keeps a stretch of the heap that counts and is never touched, so it takes
// address space and no memory. The collector of garbage runs when the heap has
// doubled: a server that keeps little and answers much would collect several times a
// second. A heap that is large by itself hardly notices.
var heapRoom = sync.OnceValue(func() []byte { return make([]byte, heapRoomBytes) })

const heapRoomBytes = 192 << 20
