# Everything that is done with the kit, for people who have python3 (3.10 or newer) and make. `make help` lists it.

PYTHON ?= python3
PROFILE ?= quick
# How many notebooks run at once, and how many processes run tests
JOBS ?= 2
WORKERS ?= 2
# More words for pip, for example those that choose PyTorch's CPU build
PIP_FLAGS ?=

VENV := .venv
PY := $(VENV)/bin/python
COMMA := ,

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help reproduce test test-fast lint notebooks check book lab benchmarks address clean distclean

help:
	@echo "make reproduce   train, rank and draw: run all notebooks (PROFILE=quick, laptop or paper; now $(PROFILE))"
	@echo "make test        run all tests (test-fast leaves out the slow ones)"
	@echo "make lint        check the code's style"
	@echo "make notebooks   build the committed notebooks again, with their outputs (profile laptop)"
	@echo "make check       check that notebooks and their sources say the same"
	@echo "make book        make an HTML book of the committed notebooks, read without a network"
	@echo "make lab         open the notebooks in JupyterLab (PROFILE as above)"
	@echo "make benchmarks  measure the kit's speed"
	@echo "make address     after a change of the repository's address in pyproject.toml: put it everywhere"
	@echo "make clean       delete what was built (distclean: the environment $(VENV) as well)"
	@echo
	@echo "The first of these makes $(VENV) with $(PYTHON) (choose another with PYTHON=...); later ones use it again."

reproduce: $(VENV)/.notebooks
	@$(PY) -m mngnas_lib.notebooks execute --profile $(PROFILE) --jobs $(JOBS)

# One thread a worker: the tests' tensors are small, and workers would fight over the cores
test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(PY) -m pytest -n $(WORKERS)

test-fast: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(PY) -m pytest -n $(WORKERS) -m "not slow"

lint: $(VENV)/.dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

notebooks: $(VENV)/.notebooks
	@$(PY) -m mngnas_lib.notebooks build --profile laptop

check: $(VENV)/.notebooks
	@$(PY) -m mngnas_lib.notebooks check

book: $(VENV)/.book
	@$(PY) -m mngnas_lib.notebooks book

# JupyterLab runs a notebook in the notebook's folder, so what is looked for below the project's folder is named here
lab: $(VENV)/.notebooks
	MNGNAS_PROFILE=$(PROFILE) \
		MNGNAS_DATA="$${MNGNAS_DATA:-$(CURDIR)/data/cache/images}" \
		MNGNAS_CACHE="$${MNGNAS_CACHE:-$(CURDIR)/data/cache/images}" \
		MNGNAS_BENCHMARKS="$${MNGNAS_BENCHMARKS:-$(CURDIR)/data/benchmarks}" \
		$(PY) -m jupyterlab notebooks/00_start_here.ipynb

benchmarks: $(VENV)/.notebooks
	$(PY) -m benchmarks

address: $(VENV)/.notebooks
	@$(PY) -m mngnas_lib.notebooks address

clean:
	rm -rf build *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path "./$(VENV)/*" -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV)

# An environment that was not finished, or whose Python is gone, counts as none.
ifneq ($(shell [ ! -e $(VENV)/.unfinished ] && $(PY) -c "" 2>/dev/null && echo whole),whole)
.PHONY: $(VENV)/.notebooks $(VENV)/.book $(VENV)/.dev
endif

# $(call install,EXTRAS): put the kit and its dependencies into $(VENV), making it where there is none.
# While this goes on, the file .unfinished says so. Where an attempt was cut off, that file is still there, and all is made
# anew, because a package that was copied by half looks installed to pip. Where pip itself gave up (no network, say) on
# a change of a whole environment, that one stays in use: pip undoes what it began.
define install
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
		echo "$(PYTHON) was not found: install Python 3.10 or newer, or name yours: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo "$(PYTHON) is too old ($$($(PYTHON) -V 2>&1)): the kit needs Python 3.10 or newer; name one: make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make environments: install its venv module (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@if [ -e $(VENV)/.unfinished ] || ! $(PY) -c "" 2>/dev/null; then \
		rm -rf $(VENV) && mkdir $(VENV) && touch $(VENV)/.unfinished && \
		echo "Making $(VENV). The first time takes some minutes and up to 6 GB, most of it PyTorch." && \
		$(PYTHON) -m venv $(VENV); \
	fi
	@echo "Installing the kit [$(1)] and what it needs ..."
	@whole=; [ -e $(VENV)/.unfinished ] || whole=yes; \
		quiet=; [ -t 1 ] || quiet=--quiet; \
		touch $(VENV)/.unfinished; \
		$(PY) -m pip install $$quiet --disable-pip-version-check $(PIP_FLAGS) -e ".[$(1)]" || { \
			code=$$?; [ -n "$$whole" ] && [ $$code -lt 126 ] && rm $(VENV)/.unfinished; exit $$code; }
	@touch $(VENV)/.notebooks $@
	@rm $(VENV)/.unfinished
endef

$(VENV)/.notebooks: pyproject.toml
	$(call install,notebooks)

$(VENV)/.book: pyproject.toml
	$(call install,notebooks$(COMMA)book)

# The tests need the packages of notebooks and book too, so this leaves nothing to do for the others
$(VENV)/.dev: pyproject.toml
	$(call install,notebooks$(COMMA)book$(COMMA)dev)
	@touch $(VENV)/.book
