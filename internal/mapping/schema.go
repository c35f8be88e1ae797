package mapping

// The e-commerce schema: which events we know, under which names senders know
// them, and what their properties are. Names, aliases and required fields are
// those of the public clients of the original (spec/collector-and-content.md,
// section 3).

// valueKind says how a property is brought into its canonical form.
type valueKind uint8

const (
	idValue     valueKind = iota // string; a number is written out
	textValue                    // string; a number is written out
	numberValue                  // number; a string is parsed as a decimal amount
	listValue                    // array of objects, each after field.items
)

// need says what happens when a property is absent.
type need uint8

const (
	optional need = iota
	wanted        // accepted with a warning
	required      // refused
)

// field is one canonical property.
type field struct {
	name    string
	kind    valueKind
	need    need
	aliases []string // names that other senders use, the best first
	// standIn names the property that takes the place of an absent one.
	standIn string
	items   *schema // of a listValue
}

// schema is the shape of one event, or of the items in one of its lists.
type schema struct {
	title  string // as the original's console calls it
	event  string // the canonical event name
	names  []string
	fields []field

	byName map[string]claim // from property name to the field it may fill
}

// claim is the right of a property name to fill a field; the lowest rank wins,
// and the canonical name has rank 0.
type claim struct {
	field int
	rank  int
}

const (
	typeTrack    = "track"
	typeIdentify = "identify"
)

var (
	identifySchema = (&schema{title: "Identify", event: typeIdentify}).index()

	// customSchema is that of an event we know nothing of: all is kept as sent.
	customSchema = &schema{title: "custom"}

	categoryItem = (&schema{title: "category", fields: []field{
		{name: "id", kind: idValue, need: wanted, aliases: []string{"category_id"}, standIn: "title"},
		{name: "title", kind: textValue, aliases: []string{"name"}},
		{name: "url", kind: textValue},
	}}).index()

	orderItem = (&schema{title: "product", fields: []field{
		{name: "id", kind: idValue, need: required, aliases: []string{"product_id", "sku"}},
		{name: "title", kind: textValue, aliases: []string{"name"}},
		{name: "url", kind: textValue},
		{name: "price", kind: numberValue},
		{name: "quantity", kind: numberValue},
	}}).index()

	productFields = []field{
		{name: "id", kind: idValue, need: required, aliases: []string{"product_id", "sku"}},
		{name: "title", kind: textValue, aliases: []string{"name"}},
		{name: "url", kind: textValue},
		{name: "price", kind: numberValue},
		{name: "currency", kind: textValue},
		{name: "categories", kind: listValue, aliases: []string{"category"}, items: categoryItem},
	}
	cartFields = append(productFields[:len(productFields):len(productFields)], field{name: "quantity", kind: numberValue})

	// trackSchemas are the schemas of track events.
	trackSchemas = []*schema{
		(&schema{
			title: "Product", event: "product_viewed",
			names:  []string{"product", "view_detail"},
			fields: productFields,
		}).index(),
		(&schema{
			title: "Category", event: "category_viewed",
			names: []string{"category", "category_view", "product_list_view"},
			fields: []field{
				{name: "id", kind: idValue, need: required, aliases: []string{"category_id", "list_id"}, standIn: "title"},
				{name: "title", kind: textValue, aliases: []string{"name", "category"}},
				{name: "url", kind: textValue},
			},
		}).index(),
		(&schema{
			title: "CartAdd", event: "product_added",
			names:  []string{"cart_add", "add_to_cart"},
			fields: cartFields,
		}).index(),
		(&schema{
			title: "CartRemove", event: "product_removed",
			names:  []string{"cart_remove", "remove_from_cart"},
			fields: cartFields,
		}).index(),
		(&schema{
			title: "Search", event: "product_searched",
			names: []string{"products_searched", "search"},
			fields: []field{
				{name: "query", kind: textValue, need: required},
				{name: "url", kind: textValue},
			},
		}).index(),
		(&schema{
			title: "Conversion", event: "order_completed",
			names: []string{"conversion", "purchase"},
			fields: []field{
				{name: "id", kind: idValue, aliases: []string{"order_id", "transactionId", "identifier"}},
				{name: "revenue", kind: numberValue, aliases: []string{"total", "total_amount", "value"}},
				{name: "currency", kind: textValue},
				{name: "products", kind: listValue, need: required, items: orderItem},
			},
		}).index(),
	}

	// schemaByName finds the schema of a track event under any name and spelling.
	schemaByName = indexNames(trackSchemas)
)

func (s *schema) index() *schema {
	s.byName = make(map[string]claim)
	for i, f := range s.fields {
		s.byName[f.name] = claim{field: i}
	}
	for i, f := range s.fields {
		for rank, alias := range f.aliases {
			s.byName[alias] = claim{field: i, rank: rank + 1}
		}
	}
	return s
}

// position is the index of a canonical property, -1 when there is none.
func (s *schema) position(name string) int {
	if c, ok := s.byName[name]; ok && c.rank == 0 {
		return c.field
	}
	return -1
}

func indexNames(schemas []*schema) map[string]*schema {
	byName := make(map[string]*schema)
	for _, s := range schemas {
		byName[spelling(s.event)] = s
		for _, name := range s.names {
			byName[spelling(name)] = s
		}
	}
	return byName
}

// schemaOf finds the schema of a track event as senders name it: product_viewed,
// "Product Viewed", productViewed and product-viewed are one name.
func schemaOf[T ~string | ~[]byte](event T) *schema {
	var buf [64]byte
	return schemaByName[string(appendSpelling(buf[:0], event))]
}

// canonicalSchema finds the schema whose canonical event name this is.
func canonicalSchema(event string) *schema {
	if event == typeIdentify {
		return identifySchema
	}
	if s := schemaOf(event); s != nil && s.event == event {
		return s
	}
	return nil
}

// spelling is a name without case and separators.
func spelling(name string) string { return string(appendSpelling(nil, name)) }

func appendSpelling[T ~string | ~[]byte](dst []byte, name T) []byte {
	for i := range len(name) {
		switch c := name[i]; {
		case c == ' ' || c == '_' || c == '-':
		case 'A' <= c && c <= 'Z':
			dst = append(dst, c+'a'-'A')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
