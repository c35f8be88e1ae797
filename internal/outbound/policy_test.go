package outbound

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"platen/internal/fault"
)

// closedRanges repeats, apart from the tables, what the IANA registries and the
// clouds' documentation say.
var closedRanges = []struct {
	prefix string
	class  Class
}{
	{"0.0.0.0/8", Unspecified},
	{"10.0.0.0/8", Private},
	{"100.64.0.0/10", CarrierNAT},
	{"127.0.0.0/8", Loopback},
	{"169.254.0.0/16", LinkLocal},
	{"172.16.0.0/12", Private},
	{"192.0.0.0/24", Assigned},
	{"192.0.2.0/24", Documentation},
	{"192.31.196.0/24", Assigned},
	{"192.52.193.0/24", Assigned},
	{"192.88.99.0/24", SixToFour},
	{"192.168.0.0/16", Private},
	{"192.175.48.0/24", Assigned},
	{"198.18.0.0/15", Benchmarking},
	{"198.51.100.0/24", Documentation},
	{"203.0.113.0/24", Documentation},
	{"224.0.0.0/4", Multicast},
	{"255.255.255.255/32", Broadcast},
	{"240.0.0.0/5", Reserved},
	{"169.254.169.254/32", Metadata},
	{"168.63.129.16/32", Metadata},
	{"100.100.100.200/32", Metadata},
	{"fd00:ec2::254/128", Metadata},
	{"::/128", Unspecified},
	{"::1/128", Loopback},
	{"::ffff:127.0.0.0/104", Loopback},
	{"::ffff:10.0.0.0/104", Private},
	{"::ffff:169.254.169.254/128", Metadata},
	{"64:ff9b::/96", NAT64},
	{"64:ff9b:1::/48", NAT64},
	{"100::/64", Reserved},
	{"100:0:0:1::/64", Reserved},
	{"2001::/32", Teredo},
	{"2001:1::/32", Assigned},
	{"2001:2::/48", Benchmarking},
	{"2001:10::/28", Assigned},
	{"2001:20::/28", Assigned},
	{"2001:db8::/32", Documentation},
	{"2002::/16", SixToFour},
	{"2620:4f:8000::/48", Assigned},
	{"3fff::/20", Documentation},
	{"5f00::/16", Assigned},
	{"fc00::/7", UniqueLocal},
	{"fe80::/10", LinkLocal},
	{"fec0::/10", Private},
	{"ff00::/8", Multicast},
	{"::ffff:0:0:0/96", Reserved},
	{"200::/7", Reserved},
	{"4000::/3", Reserved},
}

func TestClosedRanges(t *testing.T) {
	n := newNetwork(t, hello)
	c := n.client(t)
	for _, r := range closedRanges {
		prefix := netip.MustParsePrefix(r.prefix)
		for _, addr := range []netip.Addr{prefix.Addr(), last(prefix)} {
			if got := Classify(addr); got != r.class {
				t.Errorf("%s is classified as %q, want %q", addr, got, r.class)
			}
			n.name("sneaky.example", addrs(addr))
			for _, url := range []string{"http://" + netip.AddrPortFrom(addr, 80).String(), "https://sneaky.example/"} {
				_, err := c.Do(t.Context(), Request{URL: url})
				e := wantKind(t, err, Denied)
				if !strings.Contains(e.Message, string(r.class)) || !strings.Contains(e.Message, "egress: {allow: [") {
					t.Errorf("%s: the message does not name class and setting: %s", url, e.Message)
				}
				if e.Addr != addr.Unmap() {
					t.Errorf("%s: the error names %s", url, e.Addr)
				}
			}
		}
	}
	n.wantDialled(t)
}

// last is the highest address of a prefix.
func last(p netip.Prefix) netip.Addr {
	bytes := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(bytes)*8; bit++ {
		bytes[bit/8] |= 1 << (7 - bit%8)
	}
	addr, _ := netip.AddrFromSlice(bytes)
	return addr
}

// A prefix contains no address with a zone, so a zone must not hide its class.
func TestZonesHideNothing(t *testing.T) {
	n := newNetwork(t, hello)
	for _, text := range []string{"fe80::1%eth0", "::1%lo", "fd00::1%1", "::ffff:127.0.0.1%lo"} {
		addr := netip.MustParseAddr(text)
		if Classify(addr) != Classify(addr.WithZone("")) {
			t.Errorf("%s is classified as %q", addr, Classify(addr))
		}
		n.name("zoned.example", addrs(addr))
		_, err := n.client(t).Do(t.Context(), Request{URL: "http://zoned.example/"})
		wantKind(t, err, Denied)
	}
	n.wantDialled(t)
}

func TestNeighboursOfClosedRangesAreOpen(t *testing.T) {
	for _, text := range []string{
		"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
		"169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255",
		"192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "168.63.129.15",
		"2001:200::1", "2001:db7::1", "2001:db9::1", "2003::1", "2606:4700::1111", "3ffe:ffff::1", "3fff:1000::1",
		"::ffff:8.8.8.8",
	} {
		addr := netip.MustParseAddr(text)
		if b, refused := (Policy{}).refuses(addr); refused {
			t.Errorf("%s is closed by %s (%s)", addr, b.prefix, b.class)
		}
	}
}

func TestOnlyGlobalUnicastIPv6CanBeOpen(t *testing.T) {
	globalUnicast := netip.MustParsePrefix("2000::/3")
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var bytes [16]byte
		for i := range bytes {
			bytes[i] = byte(random.Uint32())
		}
		addr := netip.AddrFrom16(bytes)
		if _, refused := (Policy{}).refuses(addr); !refused && !globalUnicast.Contains(addr) {
			t.Fatalf("%s is open", addr)
		}
	}
}

func TestCarriedAddressesAreJudgedThemselves(t *testing.T) {
	// Each address carries 10.0.0.7; the range given opens the outer address.
	for _, c := range []struct{ name, addr, outer string }{
		{"mapped", "::ffff:10.0.0.7", ""},
		{"NAT64", "64:ff9b::10.0.0.7", "64:ff9b::/96"},
		{"6to4", "2002:a00:7::1", "2002::/16"},
		{"Teredo", "2001:0:4136:e378:8000:63bf:f5ff:fff8", "2001::/32"},
		{"translated", "::ffff:0:10.0.0.7", "::/8"},
		{"compatible", "::10.0.0.7", "::/8"},
		{"ISATAP", "2606:4700::5efe:10.0.0.7", ""},
		{"ISATAP, universal", "2606:4700::200:5efe:10.0.0.7", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr := netip.MustParseAddr(c.addr)
			var outer []string
			if c.outer != "" {
				outer = append(outer, c.outer)
			}
			b, refused := policy(t, outer...).canonical().refuses(addr)
			if !refused || b.class != Private {
				t.Errorf("with the outer range open: refused %v by %q, want by the private network inside", refused, b.class)
			}
			both := policy(t, append(outer, "10.0.0.0/8")...)
			if b, refused := both.canonical().refuses(addr); refused {
				t.Errorf("with both open: refused by %s", b.prefix)
			}
			if c.outer == "" {
				return
			}
			inner := policy(t, "10.0.0.0/8")
			if _, refused := inner.canonical().refuses(addr); !refused {
				t.Error("with only the inner range open: not refused")
			}
		})
	}
}

func TestRangesOpenOnlyTheBlockTheyLieIn(t *testing.T) {
	for _, c := range []struct {
		allow, addr string
		open        bool
	}{
		{"127.0.0.0/8", "127.0.0.1", true},
		{"127.0.0.0/8", "::1", false},
		{"127.0.0.1", "127.0.0.1", true},
		{"127.0.0.1", "127.0.0.2", false},
		{"::1", "::1", true},
		{"::ffff:127.0.0.0/104", "127.0.0.1", true},
		{"127.0.0.0/8", "::ffff:127.0.0.1", true},
		{"10.1.0.0/16", "10.1.2.3", true},
		{"10.1.0.0/16", "10.2.2.3", false},
		{"169.254.0.0/16", "169.254.1.1", true},
		{"169.254.0.0/16", "169.254.169.254", false},
		{"169.254.169.254", "169.254.169.254", true},
		{"fc00::/7", "fd00::1", true},
		{"fc00::/7", "fd00:ec2::254", false},
		{"fe80::/10", "fe80::1%eth0", true},
		{"127.0.0.0/8", "0.0.0.0", false},
	} {
		_, refused := policy(t, c.allow).canonical().refuses(netip.MustParseAddr(c.addr))
		if refused == c.open {
			t.Errorf("allow %s: %s open is %v, want %v", c.allow, c.addr, !refused, c.open)
		}
	}
	// A policy that was not parsed may hold anything; what is too wide opens nothing.
	wide := Policy{Allow: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"), {}}}
	for _, r := range closedRanges {
		addr := netip.MustParsePrefix(r.prefix).Addr()
		if _, refused := wide.canonical().refuses(addr); !refused {
			t.Errorf("0.0.0.0/0 and ::/0 opened %s", addr)
		}
	}
}

func TestParsePolicyRefuses(t *testing.T) {
	for _, c := range []struct{ entry, says string }{
		{"", "is not an address range"},
		{"localhost", "is not an address range"},
		{"10.0.0/8", "is not an address range"},
		{"10.0.0.0/33", "is not an address range"},
		{"fe80::1%eth0", "is not an address range"},
		{"10.1.2.3/8", "write 10.0.0.0/8 for the range or 10.1.2.3 for the address"},
		{"0.0.0.0/0", "wider than the closed ranges"},
		{"::/0", "wider than the closed ranges"},
		{"::ffff:0:0/96", "wider than the closed ranges"},
		{"172.0.0.0/8", "as 172.16.0.0/12"},
		{"8.8.8.0/24", "public and always open"},
	} {
		_, err := ParsePolicy([]string{"127.0.0.0/8", c.entry})
		var f *fault.Error
		if !errors.As(err, &f) {
			t.Errorf("%q: got %v, want a fault", c.entry, err)
			continue
		}
		if f.Code != fault.Invalid || f.Pointer != "/1" {
			t.Errorf("%q: code %q at %q", c.entry, f.Code, f.Pointer)
		}
		if !strings.Contains(f.Message, c.says) || !strings.Contains(f.Message, `"`+c.entry+`"`) {
			t.Errorf("%q: message is %q, want it to quote the entry and say %q", c.entry, f.Message, c.says)
		}
	}
}

func TestEqualPoliciesHaveOneKey(t *testing.T) {
	one := policy(t, "127.0.0.0/8", "10.0.0.0/8").canonical().key()
	same := Policy{Allow: []netip.Prefix{
		netip.MustParsePrefix("10.9.9.9/8"), netip.MustParsePrefix("::ffff:127.0.0.0/104"), netip.MustParsePrefix("10.0.0.0/8"), {},
	}}.canonical().key()
	if one != same {
		t.Errorf("keys %q and %q differ", one, same)
	}
	if other := policy(t, "127.0.0.0/8", "10.0.0.0/9").canonical().key(); other == one {
		t.Errorf("different policies share the key %q", one)
	}
	ports := func(p ...uint16) string { return Policy{PublicPorts: p}.canonical().key() }
	if ports(443, 80, 80) != ports(80, 443) || ports(80) == ports() || ports(80) == ports(443) {
		t.Errorf("the ports of a policy do not tell it apart: %q, %q, %q", ports(80, 443), ports(80), ports())
	}
}

// TestPortsOfPublicAddresses calls names at a port that is closed where the address
// is public, after a caller without such a policy has left a connection open.
func TestPortsOfPublicAddresses(t *testing.T) {
	private, carrier := netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("64:ff9b::5db8:d822")
	const port = ":8080/"
	for _, test := range []struct {
		name    string
		answers []netip.Addr
		rest    string
		dialled []netip.Addr
	}{
		{"public", addrs(publicA), port, nil},
		{"public", addrs(publicA), "/", addrs(publicA)},
		{"private", addrs(private), port, addrs(private)},
		{"both", addrs(publicA, private), port, addrs(private)},
		{"carried", addrs(carrier), port, nil},
	} {
		n := newNetwork(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		n.name(test.name+".example", test.answers)
		client := n.client(t)
		r := Request{URL: "http://" + test.name + ".example" + test.rest, Policy: policy(t, "10.0.0.0/8", "64:ff9b::/96")}
		if _, err := client.Do(t.Context(), r); err != nil {
			t.Fatalf("%s: %v", r.URL, err)
		}
		before := len(n.dialled())
		r.Policy.PublicPorts = []uint16{80, 443}
		_, err := client.Do(t.Context(), r)
		if got := n.dialled()[before:]; !slices.Equal(got, test.dialled) {
			t.Errorf("%s: dialled %v, want %v", r.URL, got, test.dialled)
		}
		if test.dialled == nil {
			denied := wantKind(t, err, Denied)
			want := "port 8080 of " + test.name + ".example is closed here, as its address is public; the open ports are 80 443"
			if denied.Message != want || denied.Addr != test.answers[0] {
				t.Errorf("%s: %q, %v", r.URL, denied.Message, denied.Addr)
			}
		} else if err != nil {
			t.Errorf("%s: %v", r.URL, err)
		}
	}
}
