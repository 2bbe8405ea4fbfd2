# Two commands do everything: `make demo` and `make test`. `make quick` is for every save.

PYTHON ?= python3
# Each test that starts a command would compile the whole program again.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin

# Two workers more than there are cores: a test that waits for a server or for the disk leaves its core to another.
WORKERS := $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 2)')

# Files of tests that need no server, no council and no second process, and take a few seconds at most.
QUICK := $(addprefix tests/,test_architecture.py test_check_digits.py test_dependencies.py test_freeze.py test_glossary.py) \
	$(addprefix tests/project/,test_audit.py test_database.py test_ledger.py test_lock.py test_settings_and_target.py \
		test_specfile.py test_tally_and_errors.py) \
	$(addprefix tests/extract/test_extract_,formats.py preflight.py) \
	$(addprefix tests/transform/test_,codes.py transform_stage.py values.py) \
	$(addprefix tests/linkage/test_,levels.py namesakes.py rules.py twins.py unread.py zones.py) \
	tests/load/test_resolve.py tests/reconciliation/test_raw_text.py tests/staged/test_reading.py

MINUTES ?= 60
SEED ?= 1

.PHONY: demo test quick lint read glossary mutants fuzz setup browser server clean

demo: setup
	$(BIN)/casebridge demo demo

test: setup browser server
	$(MAKE) --jobs 2 lint read
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile

# The asserts of all tests are rewritten once, while mypy is at work, and not by each worker. What cannot be read
# is told by the tests themselves.
read: setup
	@$(BIN)/python -m pytest --quiet --collect-only >/dev/null || true

quick: setup lint
	$(BIN)/python -m pytest --quiet --numprocesses $(WORKERS) --dist loadfile $(QUICK)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

glossary: setup
	$(BIN)/python docs/write_glossary.py
	$(BIN)/python docs/write_levels.py

# MINUTES and SEED may be given. What breaks a property is printed with the seed that finds it again.
fuzz: setup
	$(BIN)/python -m tests.fuzz $(MINUTES) $(SEED)

# ONLY="tally ledger" measures the modules whose names hold one of these words.
mutants: .venv-mutants/ready
	.venv-mutants/bin/python -m tests.mutants $(ONLY)

# A Python of its own, in which casebridge is not installed: the tests must find the mutant, not the sound code.
.venv-mutants/ready: pyproject.toml
	$(PYTHON) -m venv .venv-mutants
	.venv-mutants/bin/python -m pip install --quiet --upgrade pip
	.venv-mutants/bin/python -m pip install --quiet . --group dev --group mutants
	.venv-mutants/bin/python -m pip uninstall --quiet --yes casebridge
	touch $@

setup: .venv/ready

# The tests of the review desk drive a real browser: Debian's Chromium, where this login may install it.
browser:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing chromium, for tests/web"; \
	  apt-get install -y -qq chromium >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq chromium >/dev/null; }; \
	else \
	  echo "no Chromium here: tests/web/test_browser.py needs one on PATH (Debian: apt-get install chromium)"; \
	fi

# The tests of databases as sources start a MariaDB of their own: Debian's package, where this login may install it.
server:
	@PATH=$$PATH:/usr/sbin; command -v mariadbd >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing mariadb-server, for tests/extract"; \
	  apt-get install -y -qq mariadb-server >/dev/null 2>&1 || \
	    { apt-get update -qq && apt-get install -y -qq mariadb-server >/dev/null; }; \
	else \
	  echo "no MariaDB here: tests/extract needs mariadbd on PATH (Debian: apt-get install mariadb-server)"; \
	fi

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@

clean:
	rm -rf .venv .venv-mutants build demo dist
