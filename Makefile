# Everything installs itself: only Python 3.11+, git and make need to be present.
.DELETE_ON_ERROR:
.PHONY: demo test check fmt lock bench environments machines image-check clean

PYTHON ?= $(shell for p in python3.12 python3.11 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] <= (3,13))' 2>/dev/null && echo $$p && break; done)
WORKERS ?= 4
UV_VERSION = 0.13.9
BIN = .venv/bin
READY = .venv/.ready
# Tests start hundreds of interpreters: without bytecode on disk each would compile anew.
export PYTHONDONTWRITEBYTECODE :=

demo: $(READY)
	@$(BIN)/acp demo

test: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/house

# Hosts that this one is not: other kernels and arm64, in an emulator; takes minutes.
machines: $(READY)
	$(BIN)/python -m pytest -q -m machines tests/machines $(ARGS)

# As root, with docker.io and debootstrap; minutes. BASE=real takes the base from the registry.
BASE ?= debian
image-check: $(READY)
	ACP_TEST_IMAGE_BASE=$(BASE) $(BIN)/python -m pytest -q tests/image $(ARGS)

bench: $(READY)
	$(BIN)/python -m benchmarks

# Every route of the detection table, and well-known projects: NETWORK=CIDR where the index is in a
# private network. NAMES=routes for the routes alone.
environments: $(READY)
	$(BIN)/python -m benchmarks.environments $(NAMES) $(addprefix --network ,$(NETWORK))

fmt: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(READY)
	$(BIN)/uv pip compile -q --system-certs --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --group dev --all-extras pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --system-certs --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --constraint requirements.lock pyproject.toml -o requirements-runtime.lock

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; none was found. Name one: make PYTHON=/path/to/python"; exit 1; }
	@echo "Setting up .venv with $(PYTHON) (once)"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install -q --system-certs --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install -q --system-certs --python $(BIN)/python --no-deps -e .
	@touch $@

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dist
