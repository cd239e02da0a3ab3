# The commands of the project; `make help` lists them. Needs make, and Python 3.11, 3.12 or 3.13 as $(PYTHON).
PYTHON ?= python3
NB     ?= $(wildcard notebooks/*.ipynb)

VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed
HTML  := _build/html
JOBS  := 2

# two workers with two threads each on two cores would wait for each other
ONE_THREAD := OMP_NUM_THREADS=1

# Notebooks run in their own folder; the package is found from the root of the checkout.
export PYTHONPATH := $(CURDIR)

.DEFAULT_GOAL := help
.PHONY: help book test lab execute handout results check-site bench clean

help:
	@echo "make book        build the book into $(HTML)"
	@echo "make test        lint, unit tests, and every notebook's outputs compared"
	@echo "make lab         open the notebooks in JupyterLab"
	@echo "make execute     run the notebooks in place and store their outputs (one: NB=notebooks/NAME.ipynb)"
	@echo "make handout     write the notebooks for a class into handout/: no outputs, no solutions"
	@echo "make results     write the pages of results from the run records"
	@echo "make check-site  open every built page in a browser without a network (SHOTS=DIR keeps pictures)"
	@echo "make bench       measure what is meant to be fast, write book/benchmarks.md (BENCH_FLAGS=--quick: once)"
	@echo "make clean       remove what was built (the venv stays)"

# The environment is renewed when the pins change. The package is installed from this folder, for other editors' kernels.
$(STAMP): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; ok = (3, 11) <= v < (3, 14); sys.exit(0 if ok else "Python 3.11, 3.12 or 3.13 is needed, $(PYTHON) is %d.%d: make $(firstword $(MAKECMDGOALS)) PYTHON=python3.12" % v[:2])'
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --quiet --editable .
	touch $@

# A build with warnings fails. Its cache is thrown away, or the next build would skip the page and pass.
book: $(STAMP)
	$(BIN)/jupyter-book build . -W -n --keep-going || { rm -rf _build/.doctrees; exit 1; }
	cp -R book/_static/. $(HTML)/_static/  # a build with no changed page does not copy them
	$(BIN)/python -m scripts.toc $(HTML)

test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(ONE_THREAD) $(BIN)/python -m pytest tests -n $(JOBS) --dist loadscope
	$(ONE_THREAD) $(BIN)/python -m pytest --nbval --nbval-current-env --nbval-sanitize-with tests/sanitize.cfg notebooks \
	  -n $(JOBS) --dist loadfile -p no:cacheprovider -p tests.kernels

lab: $(STAMP)
	$(BIN)/jupyter lab notebooks

execute: $(STAMP)
	$(ONE_THREAD) $(BIN)/python -m scripts.execute $(NB)

handout: $(STAMP)
	$(BIN)/python -m scripts.handout

results: $(STAMP)
	$(BIN)/python -m scripts.pages.results_page
	$(BIN)/python -m scripts.pages.gnm_experiments_page
	$(BIN)/python -m scripts.pages.representations_page
	$(BIN)/python -m scripts.pages.transfer_page
	$(BIN)/python -m scripts.pages.dood_tasks_page
	$(BIN)/python -m scripts.pages.model_picture

check-site: $(STAMP)
	$(BIN)/python -m scripts.check_site $(HTML) $(if $(SHOTS),--screenshots $(SHOTS)) $(CHECK_SITE_FLAGS)

bench: $(STAMP)
	$(ONE_THREAD) $(BIN)/python -m benchmarks $(BENCH_FLAGS)
	$(BIN)/python -m benchmarks.page

clean:
	rm -rf _build .pytest_cache .ruff_cache .import_linter_cache
	find neurosym_lite tests scripts benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
