# Every command of the project. `make` alone lists them. Python 3.11 or newer and make are all that is needed.
.DEFAULT_GOAL := help
.PHONY: help setup run serve keys test consistency generated soak bench jobs screenshots check format translations lock audit sbom clean

VENV := .venv
BIN := $(VENV)/bin
# Left by Python's compiler beside what it made; a server whose modules are not compiled takes seconds longer to start
COMPILED := orders_app/__pycache__/.compiled
MODULES := $(wildcard *.py) $(shell find orders_app -name '*.py')
# What the benchmarks compare the service with must not mix with what the service needs.
BENCH_VENV := .venv-bench
TRANSLATIONS := orders_app/admin/translations
# Besides gettext: the errors of services and schemas, whose texts the panel translates when it shows them.
MESSAGES := lazy_gettext marked BadRequest Conflict Forbidden Invalid NotAuthenticated NotFound PreconditionFailed ValidationError
# Arguments for the tests: make test ARGS="-k money -x"
ARGS ?=
# How many requests each operation gets from `make generated`, and what they are made up from
EXAMPLES ?= 100
SEED := $(shell od -An -N4 -tu4 /dev/urandom | tr -d ' ')

PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$name; break; fi; done)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: $(COMPILED) ## Make .venv from the pinned requirements

run: setup ## Set everything up on first use and serve on http://127.0.0.1:8000 (PORT=… to change)
	@$(BIN)/python -m orders_app.first_run
	@exec env WORKERS=$${WORKERS:-2} $(BIN)/python serve.py

serve: setup ## Start the production server alone; settings come from the environment
	@$(BIN)/python serve.py

keys: setup ## Make the keys of this installation under instance/, where they are missing
	@$(BIN)/python -c "import config; print(*config.make_keys() or ['Both keys are there already.'], sep='\n')"

test: $(VENV)/.installed-dev ## Run every test, with a real PostgreSQL and a real Redis (ARGS=… for pytest)
ifeq ($(strip $(ARGS)),)
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not alone"
	@$(BIN)/python -m pytest -m alone
else
	@$(BIN)/python -m pytest $(ARGS)
endif

consistency: $(VENV)/.installed-dev ## Planted bugs, then 100,000 operations under faults, and the checker (ARGS=--help)
ifeq ($(strip $(ARGS)),)
	@PLANTED=all $(BIN)/python -m pytest -q tests/consistency/test_planted.py
endif
	@$(BIN)/python -m tests.consistency $(ARGS)

generated: $(VENV)/.installed-dev ## Made-up requests for longer than `make test` (EXAMPLES=…, SEED=… to repeat)
	@echo "The seed is $(SEED): make generated SEED=$(SEED) EXAMPLES=$(EXAMPLES)"
	@GENERATED_EXAMPLES=$(EXAMPLES) MODEL_EXAMPLES=$(EXAMPLES) MODEL_STEPS=50 \
		GENERATED_SEED=$(SEED) MODEL_SEED=$(SEED) $(BIN)/python -m pytest tests/generated $(ARGS)

soak: $(VENV)/.installed-dev ## The long runs: fifty kills, a million requests against the memory (FA26_REQUESTS=… for fewer)
	@FA15_KILLS=50 FA26_REQUESTS=$${FA26_REQUESTS:-1000000} $(BIN)/python -m pytest tests/cases/test_fa_processes.py \
		tests/cases/test_fa_memory.py -k "fa15 or fa26" $(ARGS)

bench: $(VENV)/.installed-dev $(BENCH_VENV)/.installed ## A minute of benchmarks beside other stacks (ARGS=--record for docs/performance.md)
	@$(BIN)/python -m benchmarks $(ARGS)

jobs: $(VENV)/.installed-dev $(BENCH_VENV)/.installed ## Five jobs of a back office, beside Django's admin (ARGS=--record for docs/admin.md)
	@$(BIN)/python -m benchmarks.jobs $(ARGS)

screenshots: $(VENV)/.installed-dev $(BENCH_VENV)/.installed ## Pictures of the panel for the documents (ARGS="--all FOLDER" for every page)
	@$(BIN)/python -m tests.browser.screenshots $(ARGS)

check: $(VENV)/.installed-dev ## Lint, formatting, types and the rules between packages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.installed-dev ## Format the code and mend what the linter can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

translations: $(VENV)/.installed-dev ## Gather what the panel says, and compile what is translated of it
	@$(BIN)/pybabel -q extract -F $(TRANSLATIONS)/babel.cfg $(MESSAGES:%=-k %) --no-location --project=Orders --version=1 --msgid-bugs-address=maintainers -o $(TRANSLATIONS)/panel.pot . 2>/dev/null
	@$(BIN)/pybabel -q update -i $(TRANSLATIONS)/panel.pot -d $(TRANSLATIONS) -D panel --no-wrap --no-fuzzy-matching --ignore-pot-creation-date --ignore-obsolete
	@$(BIN)/pybabel -q compile -d $(TRANSLATIONS) -D panel --statistics
	@rm $(TRANSLATIONS)/panel.pot

lock: $(VENV)/.installed-dev ## Pin the newest versions that requirements*.in allow
	@for name in requirements requirements-dev requirements-bench; do \
		CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/pip-compile --quiet --upgrade --output-file $$name.txt $$name.in || exit 1; done

audit: $(VENV)/.installed-dev ## Look the pinned packages up in the list of known vulnerabilities
	@$(BIN)/pip-audit --strict --requirement requirements.txt --no-deps --disable-pip

sbom: $(VENV)/.installed-dev ## Write what the service is made of, with licences, to sbom.cdx.json (CycloneDX)
	@$(BIN)/python deploy/sbom.py sbom.cdx.json

clean: ## Remove .venv, .venv-bench and the caches of the tools; keys, database and logs stay
	@rm -rf $(VENV) $(BENCH_VENV) .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis .schemathesis

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Python 3.11 or newer is needed, and none was found on the PATH." >&2; \
		echo "Install one, or name it: make setup PYTHON=/path/to/python3" >&2; exit 1; fi
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) does not run, or is older than Python 3.11. Name another one: make setup PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python could not make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

$(VENV)/.installed: requirements.txt | $(BIN)/python
	@echo "Installing the packages (about a minute the first time) …"
	@$(BIN)/python -m pip install --quiet --requirement requirements.txt
	@touch $@

# Where nothing may be written beside the modules, they are compiled anew by each process, and all works.
$(COMPILED): $(VENV)/.installed $(MODULES)
	@$(BIN)/python -m compileall -qq $(wildcard *.py) orders_app && touch $@ || true

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "Installing what the tests and checks need …"
	@$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	@touch $@

$(BENCH_VENV)/.installed: requirements-bench.txt | $(BIN)/python
	@echo "Installing what the service is compared with …"
	@test -x $(BENCH_VENV)/bin/python || $(BIN)/python -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python -m pip install --quiet --requirement requirements-bench.txt
	@touch $@
