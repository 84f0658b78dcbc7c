# Every command of the course. Each but help sets up .venv first, which is quick once it is done.
# Written for GNU make 3.81, which macOS ships.

VERSIONS ?= stored
export VERSIONS PYTHON
python = .venv/bin/python
constraint_stored = --constraint constraints.txt
constraint_colab = --constraint constraints-colab.txt

.DEFAULT_GOAL := help
.PHONY: help setup lab test quick backends torch bench lint format run lesson seeds records matrix colab mutants save site claims glossary reference font hooks address

help:
	@echo 'make lab                 set everything up and open JupyterLab at a copy of the first lesson'
	@echo 'make lab ARGS=--edit     the same at the stored lessons, for authors'
	@echo 'make test                set everything up and check everything: code, lessons, claims'
	@echo 'make test ARGS="-k name" the same, with more options for pytest'
	@echo 'make quick               for daily work: no lessons, no JAX, nothing slow, and of many cases every fifth'
	@echo
	@echo 'make run                 run every lesson and its evidence, and show what held'
	@echo 'make lesson N=02         the same for one lesson; here and below, N=02e is its evidence'
	@echo 'make seeds SEEDS=0-9     run every lesson under every seed: by how much does each claim hold?'
	@echo 'make records N=04        make what takes longer than a lesson may, where its code has changed'
	@echo 'make matrix              run every lesson under other Pythons, versions, processors, threads'
	@echo 'make colab               run every lesson as Colab would: alone, installed by its set-up cell'
	@echo 'make mutants             put known mistakes into the package: do the tests see each?'
	@echo 'make save N=02           run a lesson from an empty kernel and store its outputs'
	@echo 'make site                build the pages in build/site/ from the stored lessons'
	@echo 'make site ARGS=--open    the same, and show them; ARGS=--check looks at each in Chromium'
	@echo 'make claims              write CLAIMS.md, and what vote tells, from the stored lessons'
	@echo 'make glossary            write GLOSSARY.md from the stored lessons'
	@echo 'make reference           write docs/reference.md, the public names, from their docstrings'
	@echo 'make font                make the Korean font of the figures from a package that is fetched'
	@echo 'make backends            check the layers on every backend of Keras that is installed'
	@echo 'make bench               time our layers beside those of Keras and PyTorch'
	@echo 'make torch               install PyTorch for those two; on Linux it may bring CUDA, gigabytes'
	@echo 'make lint, make format   check the style of code and notebooks, or mend it'
	@echo 'make hooks               from now on, ruff looks at what you commit'
	@echo 'make address URL=https://github.com/you/your-fork [REVISION=main]'
	@echo '                         write the address of your copy into badges and set-up cells'
	@echo
	@echo 'With each but make matrix: VERSIONS=stored | newest | colab | nightly, PYTHON=python3.12'

setup:
	@tools/setup.sh

lab: setup
	@$(python) -m tools.lab $(ARGS)

test: which =
quick: which = --every=5 --dist=worksteal -m 'not slow' --ignore=tests/test_backends.py tests
test quick: setup
	@status=0; \
	$(python) -m ruff check . || status=1; \
	$(python) -m ruff format --check . || status=1; \
	$(python) -m pytest --numprocesses=auto --maxprocesses=4 $(which) $(ARGS) || status=1; \
	$(python) -m tools.address --remind; \
	exit $$status

backends: setup
	@$(python) -m nox --session backends

bench: setup
	@$(python) -m benchmarks $(ARGS)

torch: setup
	@$(python) -m pip install --quiet $(constraint_$(VERSIONS)) --editable '.[bench]'

lint: setup
	@$(python) -m ruff check . && $(python) -m ruff format --check .

format: setup
	@$(python) -m ruff check --fix . && $(python) -m ruff format .

hooks: setup
	@$(python) -m pip install --quiet $(constraint_$(VERSIONS)) 'pre-commit>=4' && $(python) -m pre_commit install

run: setup
	@$(python) -m tools.run

lesson: setup
	@$(python) -m tools.run --one $(N)

seeds: setup
	@$(python) -m tools.seeds $(if $(SEEDS),--seeds $(SEEDS)) $(if $(N),--one $(N))

records: setup
	@$(python) -m tools.records $(if $(N),--one $(N)) $(if $(CHECK),--check)

matrix: setup
	@$(python) -m nox --tags matrix $(ARGS) -- $(N)

colab: setup
	@$(python) -m nox --session colab -- $(N)

mutants: setup
	@$(python) -m tools.mutants $(ARGS)

save: setup
	@$(python) -m tools.save $(N)

site: setup
	@$(python) -c 'import sys; from tools import site; sys.exit(not site.is_installed())' || \
	$(python) -m pip install --quiet $(constraint_$(VERSIONS)) --constraint constraints-site.txt --editable '.[site]'
	@$(python) -m tools.site $(ARGS)

claims: setup
	@$(python) -m tools.claims

glossary: setup
	@$(python) -m tools.glossary

reference: setup
	@$(python) -m tools.reference

font: setup
	@$(python) -m tools.font

address: setup
	@$(python) -m tools.address $(if $(URL),--url '$(URL)') $(if $(REVISION),--revision '$(REVISION)')
