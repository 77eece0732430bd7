# The few verbs that a developer needs. `make help` explains them.

export CGO_ENABLED ?= 0
GO       ?= go
VERSION  ?= 0.1.0-dev
# The entry is the program's first instruction where there is assembly for it,
# and no cgo, whose start would be broken: see env/sandbox/entry.
ARCH     := $(shell $(GO) env GOARCH)
ENTRY     = $(if $(and $(filter 0,$(CGO_ENABLED)),$(wildcard env/sandbox/entry/entry_$(ARCH).s)),-E devenv/env/sandbox/entry.entry)
TAGS      = urfave_cli_no_docs
BUILD     = $(GO) build -trimpath -buildvcs=false -tags $(TAGS)
STATE     = $(CURDIR)/.tmp

all: build

build: ## build bin/devenv and bin/devenv-mirror, both static
	@mkdir -p bin
	$(BUILD) -ldflags "-s -w $(ENTRY) -X main.version=$(VERSION)" -o bin/devenv ./cmd/devenv
	$(BUILD) -ldflags "-s -w" -o bin/devenv-mirror ./cmd/devenv-mirror

demo: ## build an example through `devenv run -- make`, as an unprivileged user; says how long each step took
	@.ci/demo

test: ## everything CI runs: vet, format, staticcheck, unit, script, peer and end-to-end tests; installs what they need
	@.ci/test

quick: ## the tests that need no mirror and no peer, in a minute
	$(GO) test -short ./...

lint: ## vet, also for other machines, gofmt and staticcheck
	@.ci/lint

bench: build ## measure against bwrap, pacman, bsdtar, curl and nix-shell; writes docs/benchmarks.md. Some rows: ROWS=warm,pipe
	@.ci/setup demo test bench
	@$(GO) run ./.ci/bench "$(ROWS)"

fuzz: ## run every fuzz target for FUZZTIME (default 20s) each
	@.ci/fuzz $(or $(FUZZTIME),20s)

mirror: build ## make the local mirror that the tests use, in .tmp/mirror
	@.ci/mirror

man: build ## make the man pages, in bin/man
	@rm -rf $(BIN)/man
	@$(GO) run ./docs/manual -devenv $(BIN)/devenv -man $(BIN)/man

docs: ## bring docs/devenv.schema.json up to date with docs/reference.md
	@$(GO) run ./docs/manual -schema docs/devenv.schema.json

BIN       = bin
PREFIX   ?= /usr/local
TO        = $(DESTDIR)$(PREFIX)
COMPLETE  = $(TO)/share/bash-completion/completions/devenv $(TO)/share/zsh/site-functions/_devenv $(TO)/share/fish/vendor_completions.d/devenv.fish

install: man ## install devenv, its man pages, completions and schema below PREFIX (default /usr/local); DESTDIR counts
	install -Dm755 $(BIN)/devenv $(TO)/bin/devenv
	install -d $(TO)/share/man/man1 $(TO)/share/man/man5 $(dir $(COMPLETE))
	install -m644 $(BIN)/man/*.1 $(TO)/share/man/man1
	install -m644 $(BIN)/man/*.5 $(TO)/share/man/man5
	install -Dm644 docs/devenv.schema.json $(TO)/share/devenv/devenv.schema.json
	$(BIN)/devenv completion bash >$(word 1,$(COMPLETE))
	$(BIN)/devenv completion zsh >$(word 2,$(COMPLETE))
	$(BIN)/devenv completion fish >$(word 3,$(COMPLETE))
	@chmod 644 $(COMPLETE)

uninstall: ## remove what install has put below PREFIX
	rm -f $(TO)/bin/devenv $(TO)/share/man/man1/devenv.1 $(TO)/share/man/man1/devenv-*.1 $(TO)/share/man/man5/devenv.*.5 $(COMPLETE)
	rm -rf $(TO)/share/devenv

clean: ## remove what was built, and the mirror
	rm -rf bin $(STATE)

help: ## say this
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

.PHONY: all build demo test quick lint bench fuzz mirror man docs install uninstall clean help
