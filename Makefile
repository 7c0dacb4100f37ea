# Every command of this repository. Continuous integration and pre-commit call only these.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
# A file stays with one process, because its tests may share a server. There are three on two cores:
# half of the time the tests wait for processes that they have started. Files come in their order, so that
# what takes long, and starts such processes, does not come last.
SHARED_OUT := -n 3 --dist loadfile --no-loadscope-reorder
PYTEST := $(BIN)/pytest $(SHARED_OUT)
READY := .venv/.ready
WITH_POSTGRESQL := $(BIN)/python scripts/with_postgresql.py

# make run: where to listen, where data lives, what to run on
PORT ?=
DATA ?=
STACK ?=
SERVER ?=
# make run: how the shop is cut, config/topology.$(TOPOLOGY).toml (split, each)
TOPOLOGY ?=
# make test: more arguments for pytest, for example PYTEST_ARGS="-n 0 tests/modules/orders"
PYTEST_ARGS ?=
BENCH_ARGS ?=
# make contracts-check: for example --against HEAD, where there is no history
CONTRACTS_ARGS ?=
# make chaos: random plans of faults for sagas, events under kill -9, calls whose answers are lost,
# faults in the stages of a lift, seeds of the simulation
PLANS ?= 2000
EVENTS ?= 100000
CALLS ?= 10000
FAULTS ?= 200
SEEDS ?= 10000

##@ Use

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-22s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo

.PHONY: setup
setup: $(READY) ## Install everything into .venv (needs python3, make, git)
	@echo "Ready: make run starts the shop, make help lists the rest."

$(READY): pyproject.toml platform/pyproject.toml uv.lock .python-version scripts/bootstrap
	@./scripts/bootstrap
	@touch $@

.PHONY: run
run: $(READY) ## Run the shop (PORT= DATA= STACK= SERVER=; TOPOLOGY=split or each: in several deployables)
	@exec $(BIN)/monolift run \
	  $(if $(PORT),--port "$(PORT)") $(if $(DATA),--data "$(DATA)") \
	  $(if $(STACK),--stack "$(STACK)") $(if $(SERVER),--server "$(SERVER)") \
	  $(if $(TOPOLOGY),--topology "config/topology.$(TOPOLOGY).toml")

# make load: orders a second
RATE ?= 5

.PHONY: load
load: $(READY) ## Send orders to the shop that runs, until Ctrl-C (PORT= RATE=)
	@$(BIN)/python scripts/load.py --url http://127.0.0.1:$(or $(PORT),8000) --rate $(RATE)

##@ Prove

.PHONY: test
test: $(READY) ## Run the tests on SQLite (PYTEST_ARGS=)
	@$(PYTEST) $(PYTEST_ARGS)

# What does not depend on the database of the run is run once, in the last run: guards, type checks,
# contracts, documents, pages in a browser, what starts servers of its own, and (--of-database) what asks no
# database, or one of its own.
DATABASE_TESTS := $(addprefix --ignore tests/,architecture browser chaos codemods contracts docs simulation typing) \
  $(patsubst %,--ignore tests/journeys/test_%.py,make_run streams topologies) \
  $(addprefix --ignore tests/library/,calls lift service) \
  $(patsubst %,--ignore-glob 'tests/library/test_%*.py',contracts_ money probe supervise)

# The modules' own tests see one module's database at a time, so they run on one of each kind: on
# PostgreSQL with a database for each module, on SQLite with one for all.
LIBRARY_TESTS := $(DATABASE_TESTS) --ignore tests/modules --ignore tests/identity

# What starts processes that tell each other of news, and what tries many plans, is run on one database of
# each kind.
SHORTER_TESTS := $(LIBRARY_TESTS) $(addprefix --ignore tests/library/,advice streams) \
  $(patsubst %,--ignore tests/library/test_%.py,celery frozen only_module rehearsal saga_model truth)

.PHONY: test-each test-postgresql test-postgresql-each
test-each: $(READY) ## Run library and journeys with a database for each module, on SQLite
	@MONOLIFT_DATABASES=each $(PYTEST) --of-database $(SHORTER_TESTS) $(PYTEST_ARGS)

test-postgresql: $(READY) ## Run library and journeys on PostgreSQL (a throw-away server)
	@$(WITH_POSTGRESQL) $(PYTEST) --of-database $(LIBRARY_TESTS) $(PYTEST_ARGS)

# Fifteen databases on one server are slow: here runs what goes from one database to another.
test-postgresql-each: $(READY) ## Run modules and journeys with a database for each module, on PostgreSQL
	@MONOLIFT_DATABASES=each $(WITH_POSTGRESQL) $(PYTEST) -n 2 --of-database tests/identity tests/journeys tests/modules \
	  $(addprefix tests/library/test_,events.py lanes.py sagas.py retention.py lateness.py) \
	  $(patsubst %,--ignore tests/journeys/test_%.py,killed make_run races seed streams topologies) $(PYTEST_ARGS)

# What kills or races processes for long asks nothing of Django that shorter tests do not.
.PHONY: test-django-lts
test-django-lts: $(READY) ## Run the tests on Django 5.2, the oldest release that is supported
	@$(BIN)/uv run --frozen --no-sync --with 'django>=5.2,<5.3' python -m pytest $(SHARED_OUT) \
	  $(SHORTER_TESTS) $(patsubst %,--ignore tests/journeys/test_%.py,killed races) $(PYTEST_ARGS)

MODULES := $(notdir $(patsubst %/,%,$(dir $(wildcard modules/*/apps.py))))

.PHONY: test-alone $(addprefix test-alone-,$(MODULES))
test-alone: $(READY) ## Run the tests of each module without the others
	@$(MAKE) --no-print-directory -j 2 --output-sync $(addprefix test-alone-,$(MODULES))

$(addprefix test-alone-,$(MODULES)): test-alone-%: $(READY)
	@$(PYTEST) -n 0 --only-module $* $(PYTEST_ARGS)

.PHONY: test-remote test-remote-split test-remote-each
test-remote: test-remote-split test-remote-each ## Run the contract suites against the shop cut into deployables

test-remote-split test-remote-each: test-remote-%: $(READY)
	@$(PYTEST) -n 0 --remote $* tests/modules $(PYTEST_ARGS)

.PHONY: test-ejected
test-ejected: $(READY) ## Run the tests of each module in a repository of its own
	@MONOLIFT_EJECT=all $(PYTEST) -n 0 tests/library/service/test_eject.py -k test_its_own_tests_pass $(PYTEST_ARGS)

.PHONY: chaos
chaos: $(READY) ## Kill processes in the middle of things, and compare (PLANS= EVENTS= CALLS= SEEDS= FAULTS=)
	@MONOLIFT_CHAOS_EVENTS=$(EVENTS) MONOLIFT_CHAOS_CALLS=$(CALLS) MONOLIFT_LIFT_MODULES=all \
	  MONOLIFT_LIFT_FAULTS=$(FAULTS) \
	  $(PYTEST) -n 0 -s tests/chaos $(PYTEST_ARGS)
	@$(MAKE) --no-print-directory test-remote test-ejected
	@MONOLIFT_SIMULATION_SEEDS=$(SEEDS) $(PYTEST) -n 0 tests/simulation $(PYTEST_ARGS)
	@MONOLIFT_SIMULATION_SEEDS=500 $(WITH_POSTGRESQL) $(PYTEST) -n 0 tests/simulation $(PYTEST_ARGS)
	@MONOLIFT_SWEEP_STEP=1 $(PYTEST) -n 0 -s tests/journeys/test_killed.py $(PYTEST_ARGS)
	@MONOLIFT_SWEEP_STEP=1 $(WITH_POSTGRESQL) $(PYTEST) -n 0 -s tests/journeys/test_killed.py $(PYTEST_ARGS)
	@MONOLIFT_MODEL_PLANS=$(PLANS) $(PYTEST) -n 0 tests/library/test_saga_model.py $(PYTEST_ARGS)

.PHONY: bench
bench: $(READY) ## Measure (BENCH_ARGS=)
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

# Two at a time: each waits for servers and for single processes half of its time.
CHECKED := test-postgresql-each lint contracts-check codeowners-check docs-check bench-short test-alone \
  test-postgresql test-each test-django-lts

# The full test run comes last, so that its summary is the last line.
.PHONY: check bench-short
check: $(READY) ## Everything continuous integration checks
	@$(MAKE) --no-print-directory -j 2 --output-sync $(CHECKED)
	@$(MAKE) --no-print-directory test

bench-short: $(READY)
	@$(MAKE) --no-print-directory bench BENCH_ARGS=--short

##@ Guard

.PHONY: lint lint-style lint-boundaries lint-types
lint: lint-style lint-boundaries lint-types ## Style, boundaries, types

lint-style: $(READY)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

lint-boundaries: $(READY)
	@$(BIN)/monolift check

lint-types: $(READY)
	@$(BIN)/mypy
	@$(BIN)/pyright

.PHONY: format
format: $(READY) ## Format and sort, fix what is safe to fix
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

##@ Write

.PHONY: contracts contracts-check
contracts: $(READY) ## Write the snapshots of interfaces and events to contracts/
	@$(BIN)/monolift contracts write

contracts-check: $(READY)
	@$(BIN)/monolift contracts check $(CONTRACTS_ARGS)

.PHONY: codeowners codeowners-check
codeowners: $(READY) ## Write CODEOWNERS from the modules' owners
	@$(BIN)/python -m monolift.boundaries.owners

codeowners-check: $(READY)
	@$(BIN)/python -m monolift.boundaries.owners --check

.PHONY: docs docs-check
docs: $(READY) ## Write the map of the modules and their pages to docs/map/
	@$(BIN)/monolift docs

docs-check: $(READY)
	@$(BIN)/monolift docs --check

.PHONY: clean
clean: ## Remove caches and build output; .venv and var/ stay
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .monolift_cache .hypothesis .coverage \
	  build dist htmlcov test-results .uv
	@find . -path ./.venv -prune -o -path ./var -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
