# Lectern's verbs. `make help` lists them; what a fresh machine needs, each verb sets up by itself.
SHELL := /bin/bash
PY := .venv/bin/python -P
T ?= tests
.DEFAULT_GOAL := help
export PYTHONSAFEPATH := 1

##@ Run
demo: .state/python .state/web ## One lecture end to end on embedded parts (ONCE=1 exits after the story, FRESH=1 starts anew)
	@.venv/bin/lectern demo $(if $(ONCE),--once) $(if $(FRESH),--fresh)

up: .state/python .state/web ## Every process with embedded servers
	@.venv/bin/lectern up

##@ Check
test: .state/dev .state/web-dev .state/system ## All tests but the long ones (T=tests/ingest for a part)
	scripts/test $(T)

test-long: .state/dev .state/web-dev .state/system ## The second tier: every journey, faults of minutes
	scripts/test-long

lint: .state/dev .state/web-dev ## Style, types and import rules
	scripts/lint

fuzz: .state/dev ## A million inputs against what reads strangers' bytes (INPUTS=n for fewer)
	scripts/fuzz

bench: .state/dev .state/system ## One benchmark: NAME=live [QUICK=1] [JSON=file]
	@.venv/bin/lectern bench $(NAME) $(if $(QUICK),--quick) $(if $(JSON),--json $(JSON))

##@ Make
web: .state/web ## Build the pages
lock: .state/dev ## Resolve the Python dependencies anew
	scripts/lock

clean: ## Remove what was built, but not the data
	rm -rf .venv .state web/node_modules api/static

.state/venv:
	@mkdir -p .state
	python3 -m venv .venv
	.venv/bin/python -m pip install -q uv==0.13.9
	@touch $@

.state/python: requirements.lock pyproject.toml | .state/venv
	@test -e .state/dev || scripts/install requirements.lock
	@touch $@

.state/dev: requirements-dev.lock pyproject.toml | .state/venv
	scripts/install requirements-dev.lock
	@touch $@

.state/web-modules: web/package-lock.json | .state/venv
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.state/web: .state/web-modules $(shell find web/src web/index.html web/vite.config.ts -type f 2>/dev/null)
	cd web && npm run --silent build
	@touch $@

.state/web-dev: .state/web
	@touch $@

.state/system: scripts/system-packages
	scripts/system-packages
	@touch $@

help: ## This list
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*##/ {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo up test test-long fuzz lint bench web lock clean help
