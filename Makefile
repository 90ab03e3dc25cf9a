# Every target works from a fresh clone, twice in a row, and offline once the packages are there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test check format lint types contracts coverage tutorial stress bench-upkeep bench bench-quick bench-profile tui-campaign faults screenshots bench-tui bench-s3 bench-redun openlineage-spec campaign clean
.DEFAULT_GOAL := help

help:  ## show these lines
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(INSTALLED): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: $(INSTALLED)  ## run the README's pipeline on real data and show its lineage
	$(BIN)/superluigi demo

test: $(INSTALLED)  ## all tests
	$(BIN)/python -m pytest -n 2

check: $(INSTALLED) format lint types contracts test  ## what CI runs

format: $(INSTALLED)
	$(BIN)/ruff format --check .

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/codespell superluigi catalog tui tests tutorial benchmarks docs *.md

types: $(INSTALLED)
	$(BIN)/mypy

contracts: $(INSTALLED)
	$(BIN)/lint-imports

tui-campaign: $(INSTALLED)  ## the terminal UI's long tests: thousands of keys at random, builds that do not stop
	$(BIN)/python -m pytest -m slow tests/superluigi_tui

screenshots: $(INSTALLED)  ## the pictures in the terminal UI's README
	$(BIN)/python tui/screenshots.py

bench-tui: $(INSTALLED)  ## how fast the terminal UI answers, on a million tasks
	$(BIN)/python benchmarks/tui.py

coverage: export COVERAGE_FILE = $(CURDIR)/.coverage
coverage: $(INSTALLED)  ## the tests, with branch coverage: at least what pyproject.toml says
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

faults: $(INSTALLED)  ## deaths and faults of every kind, beyond those that `make test` tries
	$(BIN)/python -m pytest -n 2 -m faults

tutorial: $(INSTALLED)  ## run the tutorial from top to bottom
	$(BIN)/python tutorial/superluigi_tutorial.py

stress: $(INSTALLED)  ## many processes on one catalog, for minutes
	$(BIN)/python -m pytest -m slow tests/superluigi_catalog

campaign: $(INSTALLED)  ## random histories of random graphs, and deaths at every step of a build, for minutes
	$(BIN)/python -m pytest -n 2 -m slow tests/superluigi

openlineage-spec: $(INSTALLED)  ## what is exported to OpenLineage, against its official schemas (from GitHub)
	git clone -q --depth 1 https://github.com/OpenLineage/OpenLineage build/openlineage || git -C build/openlineage pull -q
	OPENLINEAGE_SPEC=$(CURDIR)/build/openlineage/spec $(BIN)/python -m pytest tests/superluigi_catalog/test_openlineage_spec.py

bench-redun: $(INSTALLED)  ## the catalog's answers beside those of redun's database
	python3 -m venv build/redun && build/redun/bin/pip install -q redun
	$(BIN)/python benchmarks/catalog_redun.py build/redun/bin/python

bench-upkeep: $(INSTALLED)  ## rebuilding, verifying and merging a catalog of 100,000 tasks
	$(BIN)/python benchmarks/upkeep.py

bench: $(INSTALLED)  ## the table of benchmarks/RESULTS.md: all peers, installed when needed (ARGS="--tool doit --work wide")
	$(BIN)/python -m benchmarks.bench $(ARGS)

bench-quick: $(INSTALLED)  ## our speed against plain Luigi's, in three minutes
	$(BIN)/python -m benchmarks.quick

bench-profile: $(INSTALLED)  ## where our time goes, and the floor: benchmarks/PROFILE.md
	$(BIN)/python -m benchmarks.bench.profiling

bench-s3: $(INSTALLED)  ## S3 targets at a distance, against the bars that we set
	$(BIN)/python benchmarks/s3.py

clean:  ## remove what the other targets made
	rm -rf $(VENV) benchmarks/.peers build dist .superluigi demo-project .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
