# Hearthline: `make demo` and `make test` do all set-up on a fresh machine, then their job.
# Finished steps leave a stamp named after what they were made from, so a second run is at once.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-print-directory --no-builtin-rules

export PYTHON
BIN := .venv/bin
STACK = $$(sh deploy/setup/python.sh) deploy/stack
DEMO_ARGS ?=
BENCH_ARGS ?=
PYTEST_ARGS ?=
FUZZ_ARGS ?=

key = $(shell cat $(1) 2>/dev/null | cksum | tr -d ' ')
VENV := .venv/.made-from-$(call key,requirements.lock pyproject.toml deploy/setup/venv.sh)
ASSETS := node_modules/.made-from-$(call key,package-lock.json .npmrc)

.PHONY: help setup stack demo test lint types bench fuzz crosscheck lock stop clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16
	@echo "Options: DEMO_ARGS, PYTEST_ARGS, BENCH_ARGS, FUZZ_ARGS, PYTHON."

# One after the other where both may install system packages, side by side where they cannot.
setup: ## environment, browser assets, database and broker
	@sh deploy/setup/python.sh >/dev/null
	@$(MAKE) -s -j3 $(VENV) $(ASSETS) stack
	@echo "Set up: .venv is complete; database and broker run (python3 deploy/stack status)."

$(VENV):
	@echo "Making .venv from requirements.lock …" >&2
	@sh deploy/setup/venv.sh
	@rm -f .venv/.made-from-* && touch $@

$(ASSETS): | $(VENV)
	@echo "Bringing the console's browser assets …" >&2
	@sh deploy/setup/node.sh
	@rm -f node_modules/.made-from-* && touch $@

stack:
	@$(STACK) up >/dev/null

# With a terminal the demo gets it for itself (job control), so that Ctrl-C ends the demo in its
# own friendly way instead of ending make.
demo: setup ## a simulated town: its cold rooms, tickets and pages; Ctrl-C ends it
	@if [ -t 0 ] && [ -t 1 ]; then set -m; fi; $(BIN)/hearthline up --demo $(DEMO_ARGS); \
	    code=$$?; if [ $$code -eq 0 ] || [ $$code -eq 130 ]; then \
	    echo "The demo has ended; \`make demo\` starts it again on the data it has."; \
	    else echo "The demo ended with code $$code; its words above say why." >&2; exit $$code; fi

test: setup ## the whole test suite, on the real database and broker
	@sh deploy/setup/test-packages.sh
	@$(BIN)/pytest $(PYTEST_ARGS)
	@echo "All tests passed."

lint: $(VENV) ## ruff, import contracts, declared dependencies
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/deptry .
	@echo "Lint passed."

types: $(VENV) ## mypy in strict mode
	@$(BIN)/mypy
	@$(BIN)/mypy deploy/stack
	@echo "Types passed."

bench: setup ## measured figures, each beside its ceiling
	@$(BIN)/hearthline bench ingest $(BENCH_ARGS)
	@$(BIN)/hearthline bench analytics
	@echo "Benchmarks done."

fuzz: $(VENV) ## a million damaged messages through every decoder
	@$(BIN)/python -m tests.fuzz $(FUZZ_ARGS)

crosscheck: $(VENV) ## the simulator's flows against pandapipes, in an environment of its own
	@sh deploy/setup/crosscheck.sh

lock: $(VENV) ## pin every dependency by hash, without addresses
	@$(BIN)/uv pip compile pyproject.toml --extra grafana --extra simulator --group dev --universal \
	    --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --quiet \
	    --custom-compile-command "make lock" --output-file requirements.lock
	@echo "requirements.lock is renewed."

stop: ## stop database and broker; data stays
	@$(STACK) stop

clean: ## remove what make made, but no data
	@rm -rf .venv node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Clean. Data is kept; \`python3 deploy/stack stop --delete-data\` removes it."
