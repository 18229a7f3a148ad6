# sync2gear: `make` alone lists the targets. Needs make and Python 3.11, 3.12 or 3.13; everything else goes into .venv.
.DEFAULT_GOAL := help
.PHONY: help install run speaker stack test fuzz simulate proxy lint web e2e screenshots audit docs examples bench chaos lock clean

DATA := $(or $(SYNC2GEAR_DATA),var)
SERVER ?= http://$(or $(filter-out 0.0.0.0 ::,$(HOST)),127.0.0.1):$(or $(PORT),8000)
OUTPUT ?= auto
NAME ?= demo
export PYTHONPATH := backend:player/src
export PYTHONUNBUFFERED := 1

PY := .venv/bin/python
# Named after what it installed: a changed lock has another name, so the environment is brought up to date once.
INSTALLED := .venv/installed-$(shell cksum < requirements.lock | cut -d ' ' -f 1)
# Who the speaker is: the token given, else the demo's own speaker, else a new one that shows a code to pair it.
DEMO_TOKEN := $(if $(filter demo,$(NAME)),$(wildcard $(DATA)/demo/speaker.token))
WITH_TOKEN := $(if $(TOKEN),--token "$(TOKEN)",$(if $(DEMO_TOKEN),--token-file "$(DEMO_TOKEN)"))

help: ## list what can be made
	@echo "sync2gear: make run, then make speaker in a second terminal. All targets:"
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r name does; do printf '%-14s %s\n' "$$name" "$$does"; done

install: $(INSTALLED) ## install what all targets need, which each of them does by itself

run: $(INSTALLED) ## start the server on HOST:PORT (127.0.0.1:8000), data in SYNC2GEAR_DATA (./var)
	@exec $(PY) backend/manage.py serve

speaker: $(INSTALLED) ## start a speaker on this machine (NAME=… TOKEN=… OUTPUT=auto|null|file:OUT.wav SERVER=http://…)
	@exec $(PY) -m sync2gear_player --server "$(SERVER)" --state "$(DATA)/speakers/$(NAME)" --name "$(NAME)" --output "$(OUTPUT)" $(WITH_TOKEN)

stack: $(INSTALLED) ## start the production footprint on PORT: 2 web processes, 3 workers, 2 beats, PostgreSQL and Valkey
	@exec $(PY) deploy/stack.py

test: $(INSTALLED) ## run all tests, on SQLite and on PostgreSQL with Valkey (ARGS=… goes to pytest)
	@$(PY) -m pytest --both-footprints $(ARGS)

fuzz: $(INSTALLED) ## send the API over 30,000 requests that nobody thought of, as each kind of caller, on both footprints
	@$(PY) -m pytest --both-footprints --fuzz=$(or $(CASES),10) backend/core/tests/test_fuzz.py $(ARGS)

simulate: $(INSTALLED) ## let a day of shops, people and faults pass in fast time (ARGS="--seeds 10 --hours 24 --seed 7")
	@$(PY) -m simulation $(ARGS)

proxy: $(INSTALLED) ## run deploy's nginx configuration before real servers, with TLS and a speaker (needs nginx and openssl); have systemd read its units
	@$(PY) -m pytest -q deploy/tests $(ARGS)

lint: $(INSTALLED) ## check style, types, the direction of imports, migrations and the API's description
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m mypy
	@$(PY) .venv/bin/lint-imports --no-logo
	@DJANGO_SETTINGS_MODULE=testing.embedded $(PY) backend/manage.py makemigrations --check --dry-run
	@DJANGO_SETTINGS_MODULE=testing.embedded $(PY) backend/manage.py spectacular --validate --fail-on-warn --file /dev/null

web: $(INSTALLED) ## test the pages' rules and texts, and check their types (status 75: npm's registry was not reached)
	@$(PY) -m testing.web

e2e: $(INSTALLED) ## try the pages end to end in the machine's own Chromium, before real servers (ARGS=… goes to pytest)
	@$(PY) -m pytest -q e2e $(ARGS)

screenshots: $(INSTALLED) ## take pictures of every page, with the demo's shop alive, into var/screenshots
	@PYTHONPATH=.:$(PYTHONPATH) exec $(PY) -m e2e.screenshots $(ARGS)

audit: $(INSTALLED) ## ask OSV whether a pinned dependency has a known hole (status 75: nobody who knows was reached)
	@$(PY) -m testing.audit

docs: $(INSTALLED) ## write the pages that are made from the code: errors, observability, OpenAPI, AsyncAPI
	@export DJANGO_SETTINGS_MODULE=testing.embedded; set -e; \
	$(PY) backend/manage.py errors_doc > docs/errors.md; \
	$(PY) backend/manage.py observability_doc > docs/observability.md; \
	$(PY) backend/manage.py openapi > docs/openapi.yaml; \
	$(PY) backend/manage.py asyncapi > docs/asyncapi.json; \
	$(PY) backend/manage.py asyncapi_dashboard > docs/asyncapi-dashboard.json

examples: $(INSTALLED) ## make the API's example requests, write their answers into its description, and `docs`
	@$(PY) -m pytest -q --record-examples backend/core/tests/test_examples.py
	@$(MAKE) --no-print-directory docs

bench: $(INSTALLED) ## measure, and print one line of JSON and a table for each bench (ARGS=names)
	@$(PY) bench/run.py $(ARGS)

chaos: $(INSTALLED) ## kill, cut and fill everything under load, and judge (ROUNDS=20 FAULT=name SEED=… DEVICES=500)
	@PYTHONPATH=.:$(PYTHONPATH) exec $(PY) -m chaos --rounds $(or $(ROUNDS),20) --devices $(or $(DEVICES),500) $(if $(FAULT),--fault $(FAULT)) $(if $(SEED),--seed $(SEED)) $(ARGS)

lock: $(INSTALLED) ## pin the dependencies of pyproject.toml anew (needs a package index)
	@$(PY) -m pip install --quiet uv
	@$(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group dev --group player --output-file requirements.lock pyproject.toml
	@$(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --output-file backend/requirements.txt pyproject.toml

clean: ## remove the environment and caches; the data in SYNC2GEAR_DATA stay
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis backend/staticfiles bench/results web/node_modules web/.types
	@find backend player bench -name __pycache__ -type d -prune -exec rm -rf {} +

# The first Python that fits; PYTHON=… names another. A pyenv shim may exist and lead nowhere, so each is tried.
# The lock on this file makes a second terminal wait until the first has installed.
$(INSTALLED): requirements.lock
	@set -e; fits='import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; \
	for python in $(PYTHON) $(PY) python3 python3.13 python3.12 python3.11; do \
	  if "$$python" -c "$$fits" 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "sync2gear needs Python 3.11, 3.12 or 3.13 with its venv module: install one (Debian, Ubuntu: apt install python3 python3-venv), or name it with PYTHON=/path/to/python3.12." >&2; exit 1; \
	fi; \
	exec 9<Makefile; "$$found" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'; \
	if [ -e $@ ]; then exit 0; fi; \
	echo "Installing into .venv, once: this takes about a minute."; \
	if [ "$$found" != $(PY) ]; then rm -rf .venv; "$$found" -m venv .venv; fi; \
	$(PY) -m pip install -qq --disable-pip-version-check --no-input --no-compile --no-deps --require-hashes --only-binary :all: -r requirements.lock \
	  || { echo "The packages could not be installed: see pip's message above, mend it (is there a network?) and run make again." >&2; exit 1; }; \
	rm -f .venv/installed-*; touch $@
