# Two commands do all the work: `make book` and `make test`.
PYTHON ?= python3
CANCER ?= KICH
# further cohorts, with pages of their own: all, or names separated by commas
CANCERS ?=
SOURCE ?= demo
# empty for all cores
CORES  ?=
# for SOURCE=file: COUNTS=counts.csv GROUPS=groups.csv; further notebook parameters: PARAMS="epochs=5 seed=1"
COUNTS ?=
GROUPS ?=
PARAMS ?=
# a folder with a Snakemake profile, such as workflow/profiles/slurm
PROFILE ?=
# passed on as written, through the environment: neither make nor a shell reads it a second time
export BOOK_CANCER := $(value CANCER)
export BOOK_CANCERS := $(value CANCERS)
export BOOK_PROFILE := $(value PROFILE)
export BOOK_SOURCE := $(value SOURCE)
export BOOK_CORES  := $(value CORES)
export BOOK_COUNTS := $(value COUNTS)
export BOOK_GROUPS := $(value GROUPS)
export BOOK_PARAMS := $(value PARAMS)
unexport CANCER CANCERS PROFILE SOURCE CORES COUNTS GROUPS PARAMS
# libraries are compiled when first used (see --no-compile); unkept, every notebook compiled them again
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin

.PHONY: book pdf test check wheel lab labs slides clean env
.DEFAULT_GOAL := book

# .venv/.ready-book holds what the book needs, .ready-test the tests' tools too
env: .venv/.ready-test
.venv/.ready-book: EXTRAS := book
.venv/.ready-labs: EXTRAS := book,labs
.venv/.ready-test: EXTRAS := book,labs,test
.venv/.ready-%: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { echo "DEGnext needs Python 3.11 to 3.13; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@# --no-compile: Python compiles what is used when it is first used, which halves the time of this step
	$(BIN)/python -m pip install --no-compile --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[$(EXTRAS)]"
	@touch $@

book: .venv/.ready-book
	@$(BIN)/python workflow/make_book.py

# the whole book as one PDF, and its pages as a zip, beside the built index page; needs Chromium
pdf: book
	@$(BIN)/python workflow/make_pdf.py

test: .venv/.ready-test
	$(BIN)/python -m pytest

# formatting, lint, which room may know which, types of the public names, faults of dependencies;
# sizes are held by make test
check: .venv/.ready-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python -m pip check
	$(BIN)/python workflow/audit_dependencies.py

# dist/: the wheel, and beside it the bill of what it runs with (CycloneDX)
wheel: .venv/.ready-test
	@$(BIN)/python workflow/make_wheel.py

lab: .venv/.ready-book
	$(BIN)/jupyter lab notebooks

# students' versions, solutions that were run, the instructor's notes, a zip: _build/labs
labs: .venv/.ready-labs
	@$(BIN)/python workflow/make_labs.py

# all of it, and ten slides a lab
slides: .venv/.ready-labs
	@$(BIN)/python workflow/make_labs.py --slides

# the pages, and the marks of runs that were cut short; results and what is known of how they were made stay
clean:
	rm -rf _build "$${DEGNEXT_RESULTS:-results}"/.snakemake/locks "$${DEGNEXT_RESULTS:-results}"/.snakemake/incomplete
