# `make help` lists the targets. Everything a target needs beyond Go and a C compiler it installs itself, below bin/ and
# connectors/sandbox/conformance/node_modules.

GOLANGCI_LINT_VERSION := v2.15.0
BIN := $(CURDIR)/bin
LINT := $(BIN)/golangci-lint-$(GOLANGCI_LINT_VERSION)

.DEFAULT_GOAL := help
.PHONY: help demo test build lint race bench conformance eval kills faults interleavings budgets growth soak fuzz learn live-test

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-13s %s\n", $$1, $$2}'

demo: build ## the whole idea in two minutes, on this machine alone
	@$(BIN)/handoff demo

build: ## bin/handoff
	@mkdir -p $(BIN)
	@go build -trimpath -o $(BIN)/handoff ./cmd/handoff

test: ## every test, in under five minutes
	go vet ./...
	go test -timeout 30m ./...

race: ## every test under the race detector
	go test -race -timeout 30m ./...

lint: $(LINT) ## the pinned linters
	$(LINT) run --build-tags live

$(LINT):
	@mkdir -p $(BIN)
	GOBIN=$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	@mv $(BIN)/golangci-lint $@

bench: ## benchmarks: compare ratios within one run, machines differ
	go test -run '^$$' -bench . -benchmem ./...

conformance: build ## real clients and independent parsers against the sandbox (needs Node 20)
	@connectors/sandbox/conformance/run.sh $(BIN)/handoff

eval: ## agreement of the scores with labelled deals, item by item, and what they stay or change with
	go test -run 'TestAgreement|Perturbation' -v -count=1 ./rules

learn: ## rules/scorecards/wording again, from the labelled texts and deals
	go run ./cmd/learn

kills: ## kill -9 at ten random moments of a run over 2,000 deals, and of its rollback: nothing lost, nothing written twice
	HANDOFF_KILLS=10 HANDOFF_KILL_DEALS=2000 go test -run 'TestKill(s|edRollback)' -v -count=1 -timeout 30m ./cmd/handoff

faults: ## every call to a CRM goes wrong in every way; writes docs/faults.md anew
	go test -run '^TestFaults$$' -count=1 -timeout 30m ./cmd/handoff -update

interleavings: ## a thousand random orders of writers and pulls for each CRM, with late commits, ties and a clock that is off
	HANDOFF_INTERLEAVINGS=1000 go test -run '^TestInterleavings$$' -count=1 -timeout 30m ./connectors/salesforce ./connectors/hubspot

budgets: ## what runs over 500, 1,500 and 10,000 deals cost, by the request logs of the CRMs
	@for deals in 500 1500 10000; do \
	  HANDOFF_BUDGET_DEALS=$$deals go test -run '^TestBudgets$$' -v -count=1 -timeout 30m ./cmd/handoff || exit 1; \
	done

# SQLite lets a database in memory, such as the sandbox's, grow to a gigabyte, and is able to deal with two: enough for 100,000 deals.
growth: ## first syncs of 10,000 and 100,000 deals, a quarter of an hour or more; writes docs/growth.md anew
	CGO_CFLAGS='-O2 -g -DSQLITE_MEMDB_DEFAULT_MAXSIZE=2000000000' HANDOFF_GROWTH='10000 100000' \
	  go test -run '^TestGrowth$$' -v -count=1 -timeout 4h ./cmd/handoff -update

soak: ## half an hour of edits, faults and runs at random (HANDOFF_SOAK=60s: shorter), and a report of it for docs/soak.md
	HANDOFF_SOAK=$${HANDOFF_SOAK:-30m} go test -run '^TestSoak$$' -v -count=1 -timeout 60m ./cmd/handoff

# A count of inputs, because with a duration go test fails now and then ("context deadline exceeded") though no input did.
fuzz: ## a minute or two of fuzzing, spread over every parser
	@for f in $$(grep -rlE '^func Fuzz' --include='*_test.go' .); do \
	  for name in $$(grep -ohE '^func Fuzz[A-Za-z0-9_]+' $$f | sed 's/func //'); do \
	    echo "$$(dirname $$f) $$name"; go test -run '^$$' -fuzz "^$$name$$" -fuzztime 10000x -fuzzminimizetime 5x $$(dirname $$f) || exit 1; \
	  done; done

live-test: ## try a real org or portal, which the environment names (docs/SETUP.md): reads, and one field there and back
	go test -tags live -run '^TestLive$$' -v -count=1 -timeout 20m ./cmd/handoff
