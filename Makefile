# Every task of the project. Needs Python 3.11 or newer, pip and make; nothing to export.
# Settings pass through: FUND_SOURCE=akshare make run (all of them: .env.example).
# VENV=/path/to/venv puts the environment there, for a project folder that is only read.

export VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 3000
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile
export DAGSTER_HOME ?= $(CURDIR)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: env ## run the evening pipeline once and print what it did
	@$(BIN)/fund-assets run
	@$(BIN)/fund-assets dashboard
	@echo
	@echo "Next:  $(BIN)/fund-assets nav 000001    the history of one fund"
	@echo "       make dev                         the Dagster UI, on http://127.0.0.1:$(PORT)"
	@echo "       FUND_SOURCE=akshare make run     the real market"

dev: env ## start Dagster's UI and daemon on 127.0.0.1:3000 (PORT=... for another port)
	@echo "Dagster UI: http://127.0.0.1:$(PORT)  (Ctrl-C stops it)"
	@$(BIN)/python -m fund_assets.observability.server.port 127.0.0.1 $(PORT)
	@TZ=Asia/Shanghai PYTHONWARNINGS=ignore $(BIN)/python -m fund_assets.instance.webserver dev -h 127.0.0.1 -p $(PORT)

test: dev-env ## run all default tests
	@$(PYTEST) -m "not slow"

test-mysql: dev-env ## run all default tests with the warehouse on MySQL or MariaDB
	@FUND_TEST_ENGINE=mysql $(PYTEST) -m "not slow"

test-strict: dev-env ## run them on a MariaDB with a company's strict settings: TLS only, small packets
	@FUND_TEST_ENGINE=strict $(PYTEST) -m "not slow"

# Many of these wait for processes, servers and ticks: twice as many at once as there are cores.
test-slow: dev-env ## run the tests that take longer
	@$(PYTEST) -n 4 --no-loadscope-reorder -m slow

faults: dev-env ## run the fault matrix: every cell, n of n
	@$(BIN)/python -m fund_assets_tests.faults.matrix

gestures: dev-env ## do what users do first, on real servers and in Chromium (half an hour): n of n
	@$(BIN)/python -m fund_assets_tests.reliability.gestures

deployment: dev-env ## type the commands of the pages on a fresh Debian (root, debootstrap; an hour): n of n
	@$(BIN)/python -m fund_assets_tests.reliability.deployment --cache $(or $(CACHE),/var/tmp/fund-deployment)

soak: dev-env ## run a simulated year with faults and one without (ten minutes)
	@$(BIN)/python -m fund_assets_tests.faults.year

mutants: dev-env ## change lines on purpose and list those that no test notices (SEED=1 COUNT=400)
	@nice $(BIN)/python -m fund_assets_tests.mutants --seed $(or $(SEED),1) --count $(or $(COUNT),400)

check: dev-env ## check lint, format, types, import contracts, generated pages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m fund_assets.schemas.dictionary --check
	@$(BIN)/python -m fund_assets.checks.rule_pages --check
	@$(BIN)/python -m fund_assets.cli._reference --check

docs: dev-env ## update the generated pages
	@$(BIN)/python -m fund_assets.schemas.dictionary
	@$(BIN)/python -m fund_assets.checks.rule_pages
	@$(BIN)/python -m fund_assets.cli._reference
	@$(BIN)/python -m fund_assets_tests.notebook
	@$(BIN)/python -m fund_assets_tests.faults.matrix --write

site: dev-env ## build the documentation as a site in site/ (SITE=... for another folder)
	@rm -rf build/pages && mkdir -p build/pages/benchmarks
	@cp -R README*.md C*.md SECURITY.md LICENSE NOTICE .env.example docs deploy build/pages
	@cp benchmarks/*.md build/pages/benchmarks
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir $(or $(SITE),site)

screenshots: dev-env ## update docs/images/; needs Debian's chromium and fonts-wqy-microhei
	@$(BIN)/python scripts/screenshots.py

bench: dev-env ## run the benchmarks
	@set -e; for bench in benchmarks/bench_*.py; do $(BIN)/python $$bench; done

release: dev-env ## check, test, then write the files of a release to dist/ (docs/release.md)
	@$(BIN)/python scripts/release.py

lock: ## update requirements/*.txt from requirements/*.in
	@scripts/lock.sh

clean: ## remove .venv and caches, never the state
	rm -rf $(VENV) build dist site *.egg-info .pytest_cache .ruff_cache .mypy_cache \
		.import_linter_cache .hypothesis .tmp_dagster_home_*
	find . -name __pycache__ -not -path './.fund*' -prune -exec rm -rf {} +

env:
	@scripts/env.sh run

dev-env:
	@scripts/env.sh dev

.PHONY: help run dev test test-mysql test-strict test-slow faults gestures deployment soak mutants check docs site screenshots bench release lock clean env dev-env
