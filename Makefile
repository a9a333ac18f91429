PYTHON ?= python3
BIN := .venv/bin
COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--custom-compile-command "make lock" --generate-hashes --no-emit-index-url
# How many at a time comes last: of the grant's own tests more, since they wait most of the time.
PYTEST := $(BIN)/python -m pytest -q --dist worksteal -n
HTMX := 4.0.1
TROUBLE := --trouble typical tests/end_to_end

.DEFAULT_GOAL := help
.PHONY: help demo up test test-long chaos check format lock vendor clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Installed from the hashed locks, again only when a lock changes.
.venv/.run: requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing what entra-jit runs on (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.run
	@echo "installing what the tests and checks need (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

demo: .venv/.run ## watch one technician get access to a customer's tenant and lose it again
	@$(BIN)/python starter.py demo

up: .venv/.run ## the whole stack on this machine, until Ctrl-C
	@$(BIN)/python starter.py up

test: .venv/.dev ## every test but the long ones
	@$(PYTEST) 5 -m "not long"
	@echo "the grant itself once more, with replicas that lag and Microsoft's real limits ..."
	@$(PYTEST) 8 -m "spine and not long" $(TROUBLE)

test-long: .venv/.dev ## the tests that take minutes, too
	@$(PYTEST) 5
	@$(PYTEST) 8 -m spine $(TROUBLE)

chaos: .venv/.dev ## ten minutes of troubles over hundreds of grants, and what is left of the promise (SEED=1)
	@$(BIN)/python -m tests.chaos --seed $(or $(SEED),1)

check: .venv/.dev ## format, lint, types, import contracts, the compose file
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

format: .venv/.dev ## format and mend what can be mended by itself
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: .venv/.dev ## renew both lock files (hashes, no addresses)
	@$(COMPILE) -o requirements.lock
	@$(COMPILE) --group dev -c requirements.lock -o requirements-dev.lock

vendor: ## fetch the portal's copy of htmx again; a test compares its checksums
	@cd entra_jit/web/static && npm pack --silent htmx.org@$(HTMX) > /dev/null \
		&& tar --extract --gzip --file htmx.org-$(HTMX).tgz --strip-components 2 --no-same-permissions \
			package/dist/htmx.min.js \
		&& tar --extract --gzip --file htmx.org-$(HTMX).tgz --strip-components 3 --no-same-permissions \
			package/dist/ext/hx-sse.min.js package/dist/ext/hx-csp.min.js \
		&& tar --extract --gzip --file htmx.org-$(HTMX).tgz --to-stdout package/LICENSE > htmx.LICENSE \
		&& rm htmx.org-$(HTMX).tgz

clean: ## remove the virtual environment, caches and the local stack's state
	rm -rf .venv .entra-jit .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
