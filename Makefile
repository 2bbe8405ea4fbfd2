# Two commands do everything: `make demo` and `make test`.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint glossary setup clean

demo: setup
	$(BIN)/casebridge demo demo

test: setup lint
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

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
	rm -rf .venv demo build *.egg-info
