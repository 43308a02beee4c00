# What a newcomer runs: `make demo`, then `make test`. Everything lives in .venv; nothing else is touched.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RIVALS := .venv-rivals
UV     := VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv

# Python keeps what it compiled, even where the caller's environment forbids it: else every command compiles everything.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: live-demo invoice-audit livemarket-breaks livemarket-year reconcile-bench examples interleavings interleavings-sql effect-storm gateway-bench tools-bench mcp-bench livemarket-bench prover-bench theorems forecast-bench ledger-history ledger-bench ledger-model ledger-storm help demo test check bench lock env dev schemas golden kill-storm forge log-bench log-storm event-fuzz oracles clean hot-row-bench race-storm offline-bench audit-mutations formula-points fail-closed rivals rivals-bench guards adversary settlement-fuzz matching-bench settlement-libraries durable-bench

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.base: requirements.lock pyproject.toml hatch_build.py requirements.in
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9 hatchling==1.33.0 editables==0.6
	@$(UV) pip install --quiet --require-hashes -r requirements.lock
	@$(UV) pip install --quiet --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q src
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.base
	@$(UV) pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

env: $(VENV)/.base
dev: $(VENV)/.dev

demo: env ## real order history in; decisions, proofs and books out; then serves the pages
	@$(BIN)/steward demo

test: dev ## every fast test, on the embedded PostgreSQL (or STEWARD_DATABASE_URL)
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder

check: dev ## what CI runs besides the tests: lint, types, layers, drift
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright --warnings --threads 2
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/steward catalog check
	@$(BIN)/steward verify prove-catalog --check
	@$(BIN)/python -m steward.cli.schemas --check
	@$(BIN)/python -m steward.offline.cut --check

bench: dev ## the numbers in bench/README.md
	@$(BIN)/python bench/run.py

kill-storm: dev ## kill -9 at ten random moments of every phase, with the control that must fail (about 20 minutes)
	@$(BIN)/python bench/kill_storm.py

forge: dev ## a million forged certificates against the checker, judged by Z3 and cvc5, with weakened checkers (about 15 minutes)
	@$(BIN)/python bench/forge.py

offline-bench: dev ## a hundred thousand decisions re-verified by the one-file program (about 10 minutes)
	@$(BIN)/python bench/offline.py

audit-mutations: dev ## ten thousand changes of an exported history, all found; seven weakened programs that are not (about 10 minutes)
	@$(BIN)/python bench/mutations.py

formula-points: dev ## a million points of random formulas: evaluator, compiled form and Z3 (about 10 minutes)
	@$(BIN)/python bench/formula_points.py

$(RIVALS)/.done: bench/requirements-rivals.lock $(VENV)/.dev
	@test -x $(RIVALS)/bin/python || $(PYTHON) -m venv $(RIVALS)
	@VIRTUAL_ENV=$(CURDIR)/$(RIVALS) $(BIN)/uv pip install --quiet --require-hashes -r bench/requirements-rivals.lock
	@touch $@

rivals: $(RIVALS)/.done ## other policy engines, in an environment of their own

rivals-bench: rivals ## one rule by ours, Cedar, Rego, three CEL bindings and Python
	@$(BIN)/python bench/rivals.py

fail-closed: rivals ## undefined, overflow, null and malformed cases: ours, and the engines as they answer
	@$(BIN)/python bench/fail_closed.py

log-bench: dev ## events over HTTP, dense order beside xid8, reader lag, ten million events rebuilt (about 25 minutes)
	@$(BIN)/python bench/ingest.py
	@$(BIN)/python bench/order.py
	@$(BIN)/python bench/rebuild.py

log-storm: dev ## two million events through kill -9 of everything, with the control that must miss some (about 15 minutes)
	@$(BIN)/python bench/log_storm.py

event-fuzz: dev ## a million mutated requests and twenty thousand generated ones, with controls that must fail (about 15 minutes)
	@$(BIN)/python bench/event_fuzz.py

settlement-fuzz: dev ## a million mutated settlement and bank files against every reader, with the control that must fail (about 15 minutes)
	@$(BIN)/python bench/settlement_fuzz.py

settlement-libraries: dev ## well-kept parsers and our readers on the same sample files (needs STEWARD_TEST_DATA)
	@$(BIN)/python bench/settlement_libraries.py

prover-bench: dev ## what the prover proves, how fast and how small, beside false obligations it must not prove
	@$(BIN)/python bench/prover.py

guards: dev ## deletes each guard in turn: a theorem of its kind must then fail, with the controls (about 10 minutes)
	@$(BIN)/python bench/guards.py

adversary: dev ## a million actions chosen to break the catalog's state rules, with each guard removed in turn as the control (about 5 minutes)
	@$(BIN)/python bench/adversary.py

mcp-bench: dev ## calls a second through the MCP door, over HTTP and stdio, with a revoked key as the control (about 1 minute)
	@$(BIN)/python bench/mcp_door.py

tools-bench: dev ## every checked verb against its provider's description, ten thousand changed arguments, with controls (about 2 minutes)
	@$(BIN)/python bench/tools.py

livemarket-bench: dev ## a year of the simulated world in memory and in files, a thousand shops of a month (about 25 minutes)
	@$(BIN)/python bench/livemarket.py

examples: dev ## the two agents under examples/, driven by a scripted model
	@STEWARD_EXAMPLES=1 $(BIN)/python -m pytest -q tests/acceptance/test_agent_examples.py

interleavings: dev ## a million random interleavings of the machine of effects, with eight wrong machines as controls (about 6 minutes)
	@$(BIN)/python bench/interleavings.py --write

reconcile-bench: dev ## half a million lines from files to breaks, with storage, beside a bare COPY, with a lost payment as control (about 3 minutes)
	@$(BIN)/python bench/reconcile.py --write

livemarket-breaks: dev ## a simulated business's papers against its events: every fault one break, no false alarm, with controls (about 3 minutes)
	@$(BIN)/python bench/livemarket_breaks.py --write

livemarket-year: dev ## a year of its papers without errors, with storage: no break may come (about 4 minutes)
	@$(BIN)/python bench/livemarket_breaks.py --days 365 --clean-only --write

invoice-audit: dev ## the audit of bills against the faults of six simulated weeks, with controls that must fail (about 2 minutes)
	@$(BIN)/python bench/invoice_audit.py --write

interleavings-sql: dev ## ten thousand of them on PostgreSQL, with controls (about 10 minutes)
	@$(BIN)/python bench/interleavings_sql.py --write

effect-storm: dev ## ten thousand refunds through bad weather, workers and database killed, beside at-least-once workers (about 35 minutes)
	@$(BIN)/python bench/effect_storm.py --write

gateway-bench: dev ## what the way out costs, how fast a stop stops, whether a limit holds over processes (about 3 minutes)
	@$(BIN)/python bench/gateway.py --write

live-demo: dev ## two simulated business days over sockets, killed in the middle, wrong on purpose, with the control (about 15 minutes)
	@$(BIN)/python bench/live_demo.py --write

durable-bench: dev ## effects beside a bare workflow of the durable engine; a killed worker's runs, with the control (about 4 minutes)
	@$(BIN)/python bench/durable.py --write

theorems: dev ## prove every kind of the shipped catalog and keep the certificates, and which guards do nothing, beside it
	@$(BIN)/steward verify prove-catalog --write

schemas: dev ## regenerate schemas/
	@$(BIN)/python -m steward.cli.schemas

matching-bench: dev ## a year of half a million lines matched, fourteen faults, two rivals, with the controls (about 15 minutes)
	@$(BIN)/python bench/matching.py --write

ledger-bench: dev ## the ledger beside COPY, single callers, balances at any date (about 10 minutes)
	@$(BIN)/python bench/ledger.py

forecast-bench: dev ## how many futures the cash forecast holds, with the control (about 1 minute)
	@$(BIN)/python bench/forecast.py

ledger-history: dev ## real history as books for hledger, ledger and beancount; a thousand changed cells (about 5 minutes)
	@$(BIN)/python bench/ledger_history.py $(if $(DATA),--data $(DATA))

ledger-storm: dev ## two hundred kill -9 of clients and database, with the control that must post twice (about 5 minutes)
	@$(BIN)/python bench/ledger_storm.py

ledger-model: dev ## a hundred thousand random operations beside books kept by hand, with the control (about 1 minute)
	@$(BIN)/python bench/ledger_model.py

hot-row-bench: dev ## decisions a second on one hot budget row, with the certificate checked under its lock (about 2 minutes)
	@$(BIN)/python bench/hot_row.py

race-storm: dev ## a hundred thousand attempts on one budget by 32 writers through kill -9, with the control that overspends (about 15 minutes)
	@$(BIN)/python bench/race.py

oracles: ## programs tests compare with, where the system's package manager has them (Debian)
	@for program in hledger ledger; do \
	  command -v $$program >/dev/null 2>&1 || { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq $$program >/dev/null; } \
	  || echo "$$program is not installed: the tests that ask it will say so and skip"; done

lock: ## recompute both lock files; no index address gets in
	@test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet uv==0.13.9; }
	@for name in requirements requirements-dev bench/requirements-rivals; do \
	  env -u UV_INDEX -u UV_INDEX_URL -u UV_DEFAULT_INDEX -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS -u PIP_FIND_LINKS UV_NO_CONFIG=1 \
	  $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header $$name.in -o $$name.lock; done

clean: ## remove the environment and caches
	@rm -rf $(VENV) $(RIVALS) .pytest_cache .ruff_cache .hypothesis
