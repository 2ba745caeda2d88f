# `make run` needs nothing but Python 3.11 or later.

PYTHON ?= $(shell for python in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	$$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
STAMP := .venv/installed-from.lock
BIN := .venv/bin
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-annotate --no-emit-index-url

NODE_STAMP := widget/node_modules/.installed-from.lock

.PHONY: setup node widget run test bench proof chaos lint lock messages

setup: $(STAMP)

# The stamp is a copy of what was installed: a lock that did not change costs one comparison.
$(STAMP): requirements-dev.lock
	@if [ -z "$(PYTHON)" ]; then \
		echo "Switchyard needs Python 3.11 or later with venv (on Debian: apt-get install python3-venv)." >&2; \
		echo "Where it has another name: make PYTHON=/path/to/python3" >&2; exit 2; fi
	@if ! cmp -s requirements-dev.lock $(STAMP); then \
		echo "Installing the locked dependencies into .venv (once; about a minute) ..."; \
		$(PYTHON) -m venv .venv && \
		$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.lock && \
		cp requirements-dev.lock $(STAMP); fi
	@touch $(STAMP)

run: setup
	@exec $(BIN)/python manage.py run

# What pages are checked with and the widget is built with. Without Node.js, the tests say what they skip.
node:
	@if command -v npm >/dev/null; then \
		cmp -s widget/package-lock.json $(NODE_STAMP) || { \
			(cd widget && npm ci --ignore-scripts --silent) && cp widget/package-lock.json $(NODE_STAMP); }; \
	else echo "No npm here: what needs Node.js is skipped."; fi

# Builds static/widget/ from widget/client/.
widget: node
	@node widget/build.mjs

test: setup node
	@$(BIN)/python -m tests.run $(ARGS)

# make bench ONLY=name runs a part; PUBLISH=1 writes what it measured into static/bench/.
bench: setup
	@$(BIN)/python -m tests.bench $(if $(ONLY),--only $(ONLY)) $(if $(PUBLISH),--publish)

# The proofs in full, of which the suite runs a tenth: 50,000 odd payloads, everything at once for a minute, the chaos;
# about a quarter of an hour. make proof ONLY=fuzz runs a part; PUBLISH=1 writes what it counted into static/bench/.
proof: setup
	@$(BIN)/python -m tests.proof $(if $(ONLY),--only $(ONLY)) $(if $(PUBLISH),--publish)

# What kills and outages do to leads, on servers of its own; about five minutes. make chaos ONLY="kills redis" runs a part.
chaos: setup
	@$(BIN)/python -m tests.chaos $(if $(ONLY),--only $(ONLY))

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Compiles the catalogues of texts.
messages: setup
	$(BIN)/pybabel compile -d config/locale -D django

# Moves every dependency to its newest allowed version.
lock: setup
	$(UV_COMPILE) --upgrade pyproject.toml --output-file requirements.lock
	$(UV_COMPILE) --upgrade --extra dev --constraint requirements.lock pyproject.toml --output-file requirements-dev.lock
