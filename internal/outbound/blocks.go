package outbound

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// Class is the kind of an address, in words fit for a message.
type Class string

// The classes. All but Public are closed by default.
const (
	Public        Class = "public"
	Loopback      Class = "loopback"
	Private       Class = "private network"
	LinkLocal     Class = "link-local"
	Metadata      Class = "cloud metadata"
	CarrierNAT    Class = "carrier-grade NAT"
	UniqueLocal   Class = "unique local"
	Multicast     Class = "multicast"
	Unspecified   Class = "unspecified"
	Broadcast     Class = "broadcast"
	Documentation Class = "documentation"
	Benchmarking  Class = "benchmarking"
	SixToFour     Class = "6to4"
	Teredo        Class = "Teredo"
	NAT64         Class = "NAT64"
	Assigned      Class = "protocol assignment"
	Reserved      Class = "reserved"
)

// Classify tells the class of an address. One that carries an IPv4 address inside
// a public one has the class of what it carries.
func Classify(addr netip.Addr) Class {
	for _, a := range withCarried(addr) {
		if b, found := blockOf(a); found {
			return b.class
		}
	}
	return Public
}

// block is a closed range of addresses.
type block struct {
	prefix netip.Prefix
	class  Class
	source string
}

func closed(prefix string, class Class, source string) block {
	return block{prefix: netip.MustParsePrefix(prefix), class: class, source: source}
}

// blocks are all closed ranges: every entry of the IANA registries named below,
// also those that are reachable from everywhere, because none of them is the
// address of somebody's web server. Where several hold an address the narrowest
// counts.
var blocks = slices.Concat(specialIPv4, specialIPv6, unallocatedIPv6, cloudMetadata)

// IANA IPv4 Special-Purpose Address Registry, and the IPv4 Multicast Address Space
// Registry for 224.0.0.0/4.
var specialIPv4 = []block{
	closed("0.0.0.0/8", Unspecified, "RFC 791"),
	closed("10.0.0.0/8", Private, "RFC 1918"),
	closed("100.64.0.0/10", CarrierNAT, "RFC 6598"),
	closed("127.0.0.0/8", Loopback, "RFC 1122"),
	closed("169.254.0.0/16", LinkLocal, "RFC 3927"),
	closed("172.16.0.0/12", Private, "RFC 1918"),
	closed("192.0.0.0/24", Assigned, "RFC 6890"),
	closed("192.0.2.0/24", Documentation, "RFC 5737"),
	closed("192.31.196.0/24", Assigned, "RFC 7535"),
	closed("192.52.193.0/24", Assigned, "RFC 7450"),
	closed("192.88.99.0/24", SixToFour, "RFC 7526"),
	closed("192.168.0.0/16", Private, "RFC 1918"),
	closed("192.175.48.0/24", Assigned, "RFC 7534"),
	closed("198.18.0.0/15", Benchmarking, "RFC 2544"),
	closed("198.51.100.0/24", Documentation, "RFC 5737"),
	closed("203.0.113.0/24", Documentation, "RFC 5737"),
	closed("224.0.0.0/4", Multicast, "RFC 5771"),
	closed("240.0.0.0/4", Reserved, "RFC 1112"),
	closed("255.255.255.255/32", Broadcast, "RFC 919"),
}

// IANA IPv6 Special-Purpose Address Registry. Its entries inside 2001::/23 that
// have no class of their own here are covered by that range.
var specialIPv6 = []block{
	closed("::/128", Unspecified, "RFC 4291"),
	closed("::1/128", Loopback, "RFC 4291"),
	closed("64:ff9b::/96", NAT64, "RFC 6052"),
	closed("64:ff9b:1::/48", NAT64, "RFC 8215"),
	closed("100::/64", Reserved, "RFC 6666"),
	closed("100:0:0:1::/64", Reserved, "RFC 9780"),
	closed("2001::/23", Assigned, "RFC 2928"),
	closed("2001::/32", Teredo, "RFC 4380"),
	closed("2001:2::/48", Benchmarking, "RFC 5180"),
	closed("2001:db8::/32", Documentation, "RFC 3849"),
	closed("2002::/16", SixToFour, "RFC 3056"),
	closed("2620:4f:8000::/48", Assigned, "RFC 7534"),
	closed("3fff::/20", Documentation, "RFC 9637"),
	closed("5f00::/16", Assigned, "RFC 9602"),
	closed("fc00::/7", UniqueLocal, "RFC 4193"),
	closed("fe80::/10", LinkLocal, "RFC 4291"),
	closed("fec0::/10", Private, "RFC 3879"),
	closed("ff00::/8", Multicast, "RFC 4291"),
}

// IANA Internet Protocol Version 6 Address Space: everything outside 2000::/3 that
// is reserved by the IETF. Only 2000::/3 is given out as global unicast.
var unallocatedIPv6 = []block{
	closed("::/8", Reserved, "RFC 4291"),
	closed("100::/8", Reserved, "RFC 4291"),
	closed("200::/7", Reserved, "RFC 4048"),
	closed("400::/6", Reserved, "RFC 4291"),
	closed("800::/5", Reserved, "RFC 4291"),
	closed("1000::/4", Reserved, "RFC 4291"),
	closed("4000::/3", Reserved, "RFC 4291"),
	closed("6000::/3", Reserved, "RFC 4291"),
	closed("8000::/3", Reserved, "RFC 4291"),
	closed("a000::/3", Reserved, "RFC 4291"),
	closed("c000::/3", Reserved, "RFC 4291"),
	closed("e000::/4", Reserved, "RFC 4291"),
	closed("f000::/5", Reserved, "RFC 4291"),
	closed("f800::/6", Reserved, "RFC 4291"),
	closed("fe00::/9", Reserved, "RFC 4291"),
}

// Addresses at which clouds hand credentials to the machine that asks. They have
// blocks of their own so that opening the range around them does not open them.
var cloudMetadata = []block{
	closed("169.254.169.254/32", Metadata, "AWS, Google Cloud, Azure and OpenStack documentation"),
	closed("169.254.170.2/32", Metadata, "Amazon ECS documentation"),
	closed("169.254.170.23/32", Metadata, "Amazon EKS documentation"),
	closed("fd00:ec2::254/128", Metadata, "Amazon EC2 documentation"),
	closed("fd00:ec2::23/128", Metadata, "Amazon EKS documentation"),
	closed("fd20:ce::254/128", Metadata, "Google Cloud documentation"),
	closed("100.100.100.200/32", Metadata, "Alibaba Cloud documentation"),
	closed("192.0.0.192/32", Metadata, "Oracle Cloud documentation"),
	closed("168.63.129.16/32", Metadata, "Azure documentation"),
}

// blockOf finds the narrowest block that holds an address.
func blockOf(addr netip.Addr) (found block, ok bool) {
	for _, b := range blocks {
		if b.prefix.Contains(addr) && (!ok || b.prefix.Bits() > found.prefix.Bits()) {
			found, ok = b, true
		}
	}
	return found, ok
}

// touchedBlocks are the blocks that have addresses in common with a prefix.
func touchedBlocks(prefix netip.Prefix) []block {
	var touched []block
	for _, b := range blocks {
		if b.prefix.Overlaps(prefix) {
			touched = append(touched, b)
		}
	}
	return touched
}

// normal is the form in which addresses are compared and dialled: an IPv4-mapped
// one as IPv4, and without a zone, because a prefix never contains a zoned address.
func normal(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// withCarried gives the address and the IPv4 address that it carries, if any.
func withCarried(addr netip.Addr) []netip.Addr {
	addr = normal(addr)
	if v4, ok := carried(addr); ok {
		return []netip.Addr{addr, v4}
	}
	return []netip.Addr{addr}
}

// carriers are the IPv6 ranges whose addresses lead to an IPv4 address written at
// a fixed byte. 64:ff9b:1::/48 is not among them: where the address stands there is
// the operator's choice (RFC 8215), so it is opened or closed as a whole.
var carriers = []struct {
	prefix   netip.Prefix
	at       int
	inverted bool
}{
	{prefix: netip.MustParsePrefix("64:ff9b::/96"), at: 12},              // NAT64, RFC 6052, section 2.2
	{prefix: netip.MustParsePrefix("2002::/16"), at: 2},                  // 6to4, RFC 3056, section 2
	{prefix: netip.MustParsePrefix("2001::/32"), at: 12, inverted: true}, // Teredo, RFC 4380, section 4
	{prefix: netip.MustParsePrefix("::ffff:0:0:0/96"), at: 12},           // IPv4-translated, RFC 2765, section 2.1
	{prefix: netip.MustParsePrefix("::/96"), at: 12},                     // IPv4-compatible, RFC 4291, section 2.5.5.1
}

// carried finds the IPv4 address inside a normal IPv6 address.
func carried(addr netip.Addr) (netip.Addr, bool) {
	// :: and ::1 have the form of IPv4-compatible addresses without being any.
	if !addr.Is6() || addr.IsUnspecified() || addr.IsLoopback() {
		return netip.Addr{}, false
	}
	bytes := addr.As16()
	for _, c := range carriers {
		if c.prefix.Contains(addr) {
			v4 := binary.BigEndian.Uint32(bytes[c.at:])
			if c.inverted {
				v4 = ^v4
			}
			return ipv4(v4), true
		}
	}
	// ISATAP may stand under any prefix; its interface identifier tells it
	// (RFC 5214, section 6.1), with the universal bit set or not.
	const isatap, universalBit = 0x00005efe, 0x02000000
	if binary.BigEndian.Uint32(bytes[8:])&^universalBit == isatap {
		return ipv4(binary.BigEndian.Uint32(bytes[12:])), true
	}
	return netip.Addr{}, false
}

func ipv4(bits uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], bits)
	return netip.AddrFrom4(b)
}
