package outbound

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"platen/internal/fault"
)

// Policy says which closed addresses a workspace may reach all the same. Public
// addresses are open, unless at other ports than PublicPorts; the zero Policy opens
// nothing else.
//
// A range opens a closed block only where it lies inside that block: 10.0.0.0/8
// opens the private network 10.0.0.0/8, while 0.0.0.0/0 opens nothing, and a cloud's
// metadata service stays closed until its own address is listed.
type Policy struct {
	Allow []netip.Prefix
	// PublicPorts are the ports at which public addresses may be reached; none means
	// all. An address in a range of Allow may be reached at any.
	PublicPorts []uint16
}

// ParsePolicy reads the ranges of a workspace's setting egress.allow, each as CIDR
// ("10.1.0.0/16") or as one address ("127.0.0.1"). Its error is a *fault.Error that
// quotes the bad entry, with a pointer relative to the list ("/2"). Entries that
// would open nothing are refused, since who wrote them expects something else.
func ParsePolicy(cidrs []string) (Policy, error) {
	var p Policy
	for i, text := range cidrs {
		prefix, err := parseRange(text)
		if err != nil {
			return Policy{}, err.In("/" + strconv.Itoa(i))
		}
		p.Allow = append(p.Allow, prefix)
	}
	return p, nil
}

func parseRange(text string) (netip.Prefix, *fault.Error) {
	prefix, ok := readRange(text)
	if !ok {
		return netip.Prefix{}, refusedRange("%q is not an address range; write it as 10.0.0.0/8, fd00::/8 or 127.0.0.1", text)
	}
	if prefix != prefix.Masked() {
		return netip.Prefix{}, refusedRange("%q names an address and not the start of a range; write %s for the range or %s for the address",
			text, prefix.Masked(), prefix.Addr())
	}
	prefix = unmapRange(prefix)
	touched := touchedBlocks(prefix)
	switch {
	case len(touched) == 0:
		return netip.Prefix{}, refusedRange("%q is public and always open; list only closed ranges to open, as 10.0.0.0/8", text)
	case !slices.ContainsFunc(touched, func(b block) bool { return insideBlock(prefix, b) }):
		return netip.Prefix{}, refusedRange("%q is wider than the closed ranges it touches; name each range to open by itself, as %s",
			text, touched[0].prefix)
	}
	return prefix, nil
}

func refusedRange(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, "bad_egress_range", format, args...)
}

func readRange(text string) (netip.Prefix, bool) {
	if strings.Contains(text, "/") {
		prefix, err := netip.ParsePrefix(text)
		return prefix, err == nil
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(addr, addr.BitLen()), true
}

// unmapRange writes a range of IPv4-mapped addresses as the IPv4 range it is,
// because addresses are unmapped before they are compared.
func unmapRange(p netip.Prefix) netip.Prefix {
	const mappedBits = 96
	if p.Addr().Is4In6() && p.Bits() >= mappedBits {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mappedBits)
	}
	return p
}

// canonical is an equal policy, sorted and without doubles, that shares no memory
// with the caller's.
func (p Policy) canonical() Policy {
	var allow []netip.Prefix
	for _, prefix := range p.Allow {
		if prefix.IsValid() {
			allow = append(allow, unmapRange(prefix.Masked()))
		}
	}
	slices.SortFunc(allow, netip.Prefix.Compare)
	ports := slices.Sorted(slices.Values(p.PublicPorts))
	return Policy{Allow: slices.Compact(allow), PublicPorts: slices.Compact(ports)}
}

// key tells canonical policies apart.
func (p Policy) key() string {
	var key []byte
	for _, prefix := range p.Allow {
		key = prefix.AppendTo(key)
		key = append(key, ' ')
	}
	for _, port := range p.PublicPorts {
		key = strconv.AppendUint(append(key, ':'), uint64(port), 10)
	}
	return string(key)
}

// refuses tells whether an address is closed under a canonical policy, and by
// which block. An address that carries another one is open only where both are.
func (p Policy) refuses(addr netip.Addr) (block, bool) {
	for _, a := range withCarried(addr) {
		if b, found := blockOf(a); found && !p.opens(b, a) {
			return b, true
		}
	}
	return block{}, false
}

// closesPort tells whether an address that is not refused may not be reached at a
// port. One that carries a public address leads there, so it is as public.
func (p Policy) closesPort(addr netip.Addr, port uint16) bool {
	if len(p.PublicPorts) == 0 || slices.Contains(p.PublicPorts, port) {
		return false
	}
	return slices.ContainsFunc(withCarried(addr), func(a netip.Addr) bool {
		_, inBlock := blockOf(a)
		return !inBlock
	})
}

func (p Policy) opens(b block, addr netip.Addr) bool {
	return slices.ContainsFunc(p.Allow, func(prefix netip.Prefix) bool {
		return prefix.Contains(addr) && insideBlock(prefix, b)
	})
}

// insideBlock expects that the prefix and the block have an address in common.
func insideBlock(p netip.Prefix, b block) bool { return p.Bits() >= b.prefix.Bits() }
