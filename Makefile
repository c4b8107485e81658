# Everything a newcomer needs, from nothing but Python 3.11+, make and git. `make` alone lists what there is.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
# For two cores: now and then a test waits, for a mail, a lease or what has been killed.
WORKERS ?= 3
ARGS ?=
NODE_MODULES := tests/interop/node_modules
SVELTEKIT := docs/examples/sveltekit/node_modules

# An environment whose Python has gone, as after an upgrade of the system, is made anew with all that was in it.
$(shell test -x $(BIN)/python || rm -rf $(VENV))

# Some hosts and containers set this. Without compiled modules each of the hundreds of processes that the tests start compiles its own.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo test coverage probe screenshots admin-screenshots axe lint lint-types lint-style lint-plan lint-deployment lint-vulnerabilities bench run requirements translations clean

help:
	@echo "make demo          start everything and perform two journeys of users (ONCE=1: then end; PORT=9000)"
	@echo "make test          the tests (ARGS=\"tests/otp -k budget\" for a part)"
	@echo "make coverage      the tests, and how much of apps/ they reach (90 % at least)"
	@echo "make probe         revokes in every way while all sorts of things fail, and asks 100,000 times whether it is dead"
	@echo "make screenshots   the pictures in docs/screenshots, made anew (a few minutes; looks at every hosted page with axe, too)"
	@echo "make admin-screenshots  the pictures in docs/operators: every page of the admin, with many rows, in four looks (ONLY=\"users audit\")"
	@echo "make axe           every page of the admin by axe, in four looks, and in German (some ten minutes)"
	@echo "make lint          style, types, house plan, migrations, deployment checks, known vulnerabilities"
	@echo "make bench         how fast it is, beside others, in one run (docs/performance.md; some 14 minutes; needs wrk)"
	@echo "make run           the development server, worker and beat (PORT=8000), without demo or mailbox"
	@echo "make requirements  compile requirements/*.in, with hashes"
	@echo "make translations  compile locale/*/LC_MESSAGES/*.po"
	@echo "make clean         remove what the others made (asks nothing; .data/ is kept)"

demo: $(VENV)/.development
	@$(BIN)/python -m demo

# Few at a time go to a worker: what is lengthy (tests/conftest.py) shall not all go to the first.
test: $(VENV)/.test $(NODE_MODULES)/.installed $(SVELTEKIT)/.installed
	@.ci/tools
	$(BIN)/python -m pytest -n $(WORKERS) --maxschedchunk 4 $(ARGS)

# Always of the whole, and slower than the tests alone.
coverage: $(VENV)/.test $(NODE_MODULES)/.installed $(SVELTEKIT)/.installed
	@.ci/tools
	$(BIN)/python -m pytest -n $(WORKERS) --maxschedchunk 4 --cov --cov-report=term

# Some ten minutes on an idle machine of two cores.
probe: $(VENV)/.test
	$(BIN)/python -m tests.state.probe 11200 60

SCREENSHOTS := docs/screenshots
screenshots: $(VENV)/.test $(NODE_MODULES)/.installed
	@mkdir -p $(SCREENSHOTS)
	SCREENSHOTS=$(SCREENSHOTS) $(BIN)/python -m pytest -n 0 -q tests/portal/test_every_page.py tests/portal/account/test_every_page.py

axe: $(VENV)/.test $(NODE_MODULES)/.installed
	EVERY_LOOK=1 $(BIN)/python -m pytest -n 2 -q tests/operators/test_every_page.py

# Some ten minutes. All pictures go to ALL_PICTURES, a choice of them and a sheet of all to docs/operators.
ALL_PICTURES ?= .data/admin-pictures
admin-screenshots: $(VENV)/.test $(NODE_MODULES)/.installed
	ALL_PICTURES=$(ALL_PICTURES) ONLY="$(ONLY)" $(BIN)/python -m pytest -n 0 -q tests/operators/pictures.py

# Two at a time: the types take as long as all the others.
lint: $(VENV)/.test
	@$(MAKE) --no-print-directory --jobs 2 lint-types lint-style lint-plan lint-deployment lint-vulnerabilities

lint-types:
	$(BIN)/mypy

lint-style:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint-plan:
	$(BIN)/lint-imports

lint-deployment:
	.ci/deployment-check

lint-vulnerabilities:
	.ci/vulnerabilities

# Some 14 minutes on two cores. Of a part: make bench ARGS="who_am_i --rounds 3".
bench: $(VENV)/.test
	@.ci/wrk
	$(BIN)/python -m benchmarks $(ARGS)

run: $(VENV)/.development
	$(BIN)/python manage.py migrate --verbosity 0
	@trap 'kill $$worker 2>/dev/null; wait $$worker' EXIT; trap 'exit 130' INT TERM; \
		$(BIN)/celery --app config.celery worker --beat \
			--schedule .data/celerybeat-schedule --loglevel INFO --concurrency 1 & worker=$$!; \
		$(BIN)/python manage.py runserver $(or $(PORT),8000)

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Gatehouse needs Python 3.11 or later. Install it, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) cannot be run, or is older than Python 3.11. Name another: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; exit 1; }
	@echo "Making a Python environment in $(VENV) …"
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); echo "Python's venv module is missing. On Debian and Ubuntu: apt install python3-venv"; exit 1; }

# Installed anew only when the lock file changes. The test set, where it is up to date, holds the development set.
$(VENV)/.development: requirements/development.txt | $(VENV)/bin/python
	@test $(VENV)/.test -nt requirements/test.txt || $(BIN)/python requirements/install.py $<
	@touch $@

$(VENV)/.test: requirements/test.txt | $(VENV)/bin/python
	@$(BIN)/python requirements/install.py $<
	@touch $@

# Node's `jose`, an independent implementation, for the interoperability tests; Node itself comes as a wheel. Without the npm registry
# those tests are skipped and say so, but not where CI is set.
$(NODE_MODULES)/.installed: tests/interop/package-lock.json $(VENV)/.test
	@echo "Installing Node's jose for the interoperability tests …"
	@mkdir -p $(NODE_MODULES)
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --prefix tests/interop --no-audit --no-fund --silent --fetch-retries 1 --fetch-timeout 20000 && touch $@ \
		|| echo "npm ci failed: the interoperability tests will be skipped$${CI:+, which CI does not accept}."

# Some 10 s and 45 MB, once.
$(SVELTEKIT)/.installed: docs/examples/sveltekit/package-lock.json $(VENV)/.test
	@echo "Installing SvelteKit for its example …"
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --prefix docs/examples/sveltekit --no-audit --no-fund --silent --fetch-retries 1 --fetch-timeout 20000 && touch $@ \
		|| echo "npm ci failed: the SvelteKit example will not be tested$${CI:+, which CI does not accept}."

PEERS := $(basename $(wildcard benchmarks/peers/*/requirements.in))
requirements: | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/uv.txt
	for set in requirements/uv requirements/base requirements/development requirements/test $(PEERS); do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
			--custom-compile-command "make requirements" $$set.in --output-file $$set.txt || exit 1; done

translations: $(VENV)/.test
	for po in locale/*/LC_MESSAGES/django.po; do $(BIN)/pybabel compile --input-file $$po --output-file $${po%.po}.mo || exit 1; done

clean:
	rm -rf $(VENV) $(NODE_MODULES) $(SVELTEKIT) .import_linter_cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
