# Every target sets up what it needs, once: a machine with Python 3.11 or newer and make is enough.

# The first interpreter that is new enough; `make PYTHON=...` names another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
INSTALLED := .venv/.installed
PACKAGES := mixlaws proxy_training service mixwright mixclient/mixclient tests benchmarks examples
# Processes that run tests side by side.
JOBS ?= 2
# Further arguments of a command: make demo ARGS="--quick --exit"
ARGS ?=

.PHONY: help install demo serve test test-browser test-install soak check format bench

help:  ## show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(INSTALLED)  ## create .venv and install everything into it

$(INSTALLED): pyproject.toml mixclient/pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or newer was found: install one, or pass PYTHON=..." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		-c constraints.txt -e ./mixclient -e '.[all,dev]'
	@touch $@

demo: install  ## the whole story on text of this machine
	$(BIN)/mixwright demo $(ARGS)

serve: install  ## the API and the dashboard
	$(BIN)/mixwright serve $(ARGS)

test: install  ## all tests but those of the browser and of the registry
	$(BIN)/python -m pytest -n $(JOBS) -m "not browser and not registry" $(ARGS)

test-install: install  ## the steps of the image, in a clean virtual environment
	$(BIN)/python -m pytest -m registry $(ARGS)

test-browser: install  ## the dashboard in a headless Chromium
	$(BIN)/python -m pytest -m browser $(ARGS)

soak: install  ## 200 random schedules of faults, and a million random updates of policies of training losses
	MIXWRIGHT_SOAK_SCHEDULES=$${MIXWRIGHT_SOAK_SCHEDULES:-200} $(BIN)/python -m pytest -v \
		tests/faults/test_random_faults.py $(ARGS)
	MIXWRIGHT_SOAK_UPDATES=1000000 $(BIN)/python -m pytest tests/conformance/test_policies.py \
		-k "through_a_long_run and (odm or ado)" $(ARGS)

check: install  ## format, lint, types and import contracts; changes nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(PACKAGES)
	$(BIN)/lint-imports

format: install  ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install  ## measure the live path; benchmarks/README.md has the others
	$(BIN)/python -m benchmarks.reports $(ARGS)
