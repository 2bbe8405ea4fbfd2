# Two commands do everything: `make demo` and `make test`. `make quick` is for every save.

PYTHON ?= python3
BIN := .venv/bin

# Files of tests that need no server, no council and no second process.
QUICK := tests/project tests/dedupe tests/transform/test_values.py tests/test_architecture.py tests/test_glossary.py \
	tests/test_dependencies.py tests/linkage/test_guards.py

.PHONY: demo test quick lint glossary setup clean

demo: setup
	$(BIN)/casebridge demo demo

test: setup lint
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

quick: setup lint
	$(BIN)/python -m pytest --quiet --numprocesses auto --dist loadfile $(QUICK)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

glossary: setup
	$(BIN)/python docs/write_glossary.py

setup: .venv/ready

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@

clean:
	rm -rf .venv demo dist
