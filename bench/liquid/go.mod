// The engine that `platen bench liquid` compares ours with lives in a module of
// its own, so that the product does not depend on it.
module platen/bench/liquid

go 1.26.0

require github.com/osteele/liquid v1.9.2

require (
	github.com/osteele/tuesday v1.1.1 // indirect
	golang.org/x/mod v0.33.0 // indirect
	golang.org/x/sync v0.19.0 // indirect
	golang.org/x/tools v0.42.0 // indirect
	gopkg.in/yaml.v2 v2.4.0 // indirect
)
