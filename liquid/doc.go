// Package liquid is an engine for Liquid templates with two dialects: the
// language of Shopify's Liquid, and the one that Braze's messages are written in
// (see [Dialect]).
//
// A source is parsed once into an immutable [Template], which any number of
// goroutines may render at the same time; whatever a render assigns lives in
// that render alone. Every render is bounded (see [Limits]) and never reads a
// clock or the network: the time and everything from outside come in through
// [Input].
//
// The syntax tree is open: [Template.Root] gives it, every node and expression
// knows its place in the source, and [Scope] evaluates single expressions, so
// that linters and editors can reason about a template without rendering it.
package liquid
