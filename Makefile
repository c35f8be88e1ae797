.DEFAULT_GOAL := help
export CGO_ENABLED := 0

GO    ?= go
RACED  = ./liquid ./internal/... ./cmd/...

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## play the whole journey and keep serving
	$(GO) run ./cmd/platen demo

test: deps ## install what the tests need, then run all of them
	PLATEN_TEST_LONG=1 $(GO) test -timeout 20m ./...

deps: ## install what the tests need (Debian, as root)
	@test/deps.sh

race: deps ## the race detector on the packages with goroutines
	CGO_ENABLED=1 $(GO) test -short -race -timeout 20m $(RACED)

lint: ## gofmt, vet, staticcheck
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo "run gofmt -w on these files"; exit 1; }
	$(GO) vet ./...
	$(GO) vet -C bench/liquid .
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

bench: ## one short run of each benchmark, so that none can rot
	$(GO) test -run '^$$' -bench . -benchtime 20x -short ./...
	@dir=$$(mktemp -d ./bench-XXXXXX); trap 'rm -rf "$$dir"' EXIT; \
	$(GO) run ./cmd/platen bench ingest --data "$$dir" --stored 20000 --rounds 1 --duration 2s
	$(GO) run ./cmd/platen bench liquid --rounds 1 --duration 200ms

crash: ## SIGKILL the server 50 times while clients write, then account for every event
	$(GO) run ./test/crash --rounds 50

.PHONY: help demo test deps race lint bench crash
