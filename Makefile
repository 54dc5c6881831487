# One command each, the same here and in CI. Every target sets up .venv when it is missing or out of date.
#   make run      the shop on http://127.0.0.1:8000, with its local peers   (PORT=8000 DATA=var/gourmet)
#   make test     every test                                               (ARGS="-k name" goes to pytest)
#   make check    lint, format, types, import contracts, policies
#   make bench    benchmarks, one line of JSON per figure                   (ONLY=name)
#   make mutate   loosens each rule and guard, and expects a test to notice (ONLY=I2)
#   make soak     repeats the randomised tests with fresh seeds, all kills  (SOAK=600 s, DECISIONS=1000000, PEOPLE=1000)
#   make format   formats the code
#   make lock     compiles requirements.lock from pyproject.toml            (UV=uv)
#   make clean    removes .venv and every cache; var/ stays

PORT ?= 8000
DATA ?= var/gourmet
SITE ?= sites/gourmet
ONLY ?=
ARGS ?=
SOAK ?= 600
DECISIONS ?= 1000000
PEOPLE ?= 1000
UV ?= uv
BIN := .venv/bin
STAMP := .venv/.stamp
BENCHES := $(sort $(patsubst bench/%.py,%,$(filter-out bench/figures.py bench/crowd.py,$(wildcard bench/*.py))))

.DEFAULT_GOAL := help
.PHONY: help run test check bench mutate soak format lock clean packages

help:
	@sed -n '2,10s/^# *//p' Makefile

$(STAMP): pyproject.toml requirements.lock tools/venv
	@tools/venv

packages:
	@tools/debian-packages

run: $(STAMP)
	@exec $(BIN)/avow serve $(SITE) --port $(PORT) --data $(DATA) --local-peers

test: $(STAMP) packages
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/avow check sites/*/policy.md

bench: $(STAMP) packages
	@for name in $(or $(ONLY),$(BENCHES)); do \
	  test -f bench/$$name.py || { echo "error: no benchmark $$name; there are: $(BENCHES)" >&2; exit 1; }; \
	  $(BIN)/python -m bench.$$name || exit 1; done

mutate: $(STAMP) packages
	@$(BIN)/python -m tools.mutate $(ONLY)

soak: $(STAMP) packages
	@end=$$(( $$(date +%s) + $(SOAK) )); while [ $$(date +%s) -lt $$end ]; do \
	  SOAK_SEED=$$(date +%s) KILL_POINTS=all $(BIN)/python -m pytest -q -m campaign $(ARGS) || exit 1; done
	$(BIN)/python -m tests.campaigns.decisions $(DECISIONS) $$(date +%s)
	$(BIN)/python -m tests.campaigns.backups $(PEOPLE) 10

format: $(STAMP)
	@$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format .

# The lock names no package index: pip takes the one that the machine is set up for (docs/adr/0001-lock-file.md).
lock:
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv (or UV=/path/to/uv)" >&2; exit 1; }
	$(UV) pip compile --universal --generate-hashes --all-extras --group dev --no-header --no-emit-index-url \
	  --quiet --python-version 3.11 pyproject.toml -o requirements.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
