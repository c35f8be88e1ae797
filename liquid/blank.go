package liquid

// Ruby's Liquid drops the white space in the bodies of if, unless, case and for
// when nothing in them can print anything else, so that templates may be laid
// out in lines without sending empty ones. The rules here are Ruby's.

func (n *Block) blank() bool {
	for _, child := range n.Nodes {
		if !child.blank() {
			return false
		}
	}
	return true
}

// dropBlankText removes the white space from a body.
func (n *Block) dropBlankText() {
	kept := n.Nodes[:0]
	for _, child := range n.Nodes {
		if t, ok := child.(*Text); !ok || !t.blank() {
			kept = append(kept, child)
		}
	}
	n.Nodes = kept
}

func (n *Text) blank() bool { return !n.Raw && trimSpace(n.Text) == "" }

func (n *If) blank() bool {
	for _, b := range n.Branches {
		if !b.Body.blank() {
			return false
		}
	}
	return true
}

func (n *Case) blank() bool {
	for _, w := range n.Whens {
		if !w.Body.blank() {
			return false
		}
	}
	return true
}

func (n *For) blank() bool { return n.Body.blank() && (n.Else == nil || n.Else.blank()) }

func (n *Output) blank() bool    { return false }
func (n *Assign) blank() bool    { return true }
func (n *Capture) blank() bool   { return true }
func (n *TableRow) blank() bool  { return n.Body.blank() }
func (n *Cycle) blank() bool     { return false }
func (n *Counter) blank() bool   { return false }
func (n *IfChanged) blank() bool { return n.Body.blank() }
func (n *Interrupt) blank() bool { return false }
func (n *Comment) blank() bool   { return true }
func (n *Partial) blank() bool   { return false }
func (n *Abort) blank() bool     { return true }

func (n *ConnectedContent) blank() bool { return false }
func (n *CatalogItems) blank() bool     { return true }
func (n *CatalogSelection) blank() bool { return true }
func (n *MessageExtras) blank() bool    { return true }
func (n *Promotion) blank() bool        { return false }
