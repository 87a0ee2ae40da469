# wiredesk: `make help` lists the tasks. PYTHON chooses the interpreter (3.11 or newer).
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
PORT   ?= 8080
TESTS  ?= tests#  what test and check run: make test TESTS=tests/streams
SHARE  ?= -n 2 --dist loadscope --no-loadscope-reorder#  two processes share the tests; make test SHARE= for one
FUZZ_MINUTES ?= 20
ARGS   ?=#  more options of a task: make run ARGS=--no-feeds, make bench ARGS="--stories 100"

.DEFAULT_GOAL := help
.PHONY: $(shell awk -F: '/^[a-z]+:/ {print $$1}' $(firstword $(MAKEFILE_LIST)))

help: ## List the tasks
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.embedded ## Stories on http://127.0.0.1:8080 within a minute: bundled samples, and real feeds when online
	$(BIN)/wiredesk run --samples --port $(PORT) $(ARGS)

fleet: $(VENV)/.fleet ## Install the clients of Kafka and Elasticsearch too: poll, worker, sink, desk, topics, index
	@echo "Next: $(BIN)/wiredesk topics create --config fleet.toml (docs/operating.md, A fleet)"

test: $(VENV)/.dev ## Every test, with a real Kafka, Elasticsearch and Chromium (started by the tests)
	$(BIN)/python -m pytest $(SHARE) $(TESTS)

check: $(VENV)/.dev ## What CI checks: lint, format, types, then every test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest $(SHARE) $(TESTS)

# KEY signs dist/SHA256SUMS: ssh-keygen -Y verify -n wiredesk … says whether it was that key.
KEY     ?= $(HOME)/.ssh/id_ed25519
RELEASE  = build/release
release: $(VENV)/.dev ## Build wheel and sdist, try them, list parts, licences and known faults, and sign (KEY)
	$(BIN)/python -m pip install -q --require-hashes -r locks/release.txt
	rm -rf dist $(RELEASE)
	$(BIN)/python -m build -q -o dist .
	WIRETEST_RELEASE=dist $(BIN)/python -m pytest -q tests/test_packages.py
	$(PYTHON) -m venv $(RELEASE)
	$(RELEASE)/bin/pip install -q --require-hashes -r locks/fleet.txt
	$(RELEASE)/bin/pip install -q --no-deps dist/*.whl
	$(BIN)/cyclonedx-py environment --gather-license-texts --output-file dist/wiredesk.cdx.json $(RELEASE)/bin/python
	$(BIN)/pip-licenses --python=$(RELEASE)/bin/python --format=markdown --with-urls --output-file=dist/LICENCES.md
	$(BIN)/pip-audit -r locks/fleet.txt --require-hashes --disable-pip
	cd dist && sha256sum * > SHA256SUMS && ssh-keygen -q -Y sign -n wiredesk -f $(KEY) SHA256SUMS

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(VENV)/.dev ## Resolve the dependencies anew into locks/
	$(BIN)/python -m pip install -q uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	    --all-extras --group dev pyproject.toml -o locks/dev.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	    --extra kafka --extra elasticsearch -c locks/dev.txt pyproject.toml -o locks/fleet.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	    -c locks/dev.txt pyproject.toml -o locks/embedded.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	    --group vectors -c locks/dev.txt pyproject.toml -o locks/vectors.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	    --group release -c locks/dev.txt pyproject.toml -o locks/release.txt

schemas: $(VENV)/.dev ## Generate config/schemas/: JSON Schemas, examples, the AsyncAPI document
	$(BIN)/python -m streams.generate.schemas

settings: $(VENV)/.dev ## Generate config/wiredesk.toml and docs/settings.md from config/settings.py
	$(BIN)/python -m streams.generate.settings

answers: $(VENV)/.dev ## Generate docs/what-happens.md from sinks/answers.py
	$(BIN)/python -m streams.generate.answers

messages: $(VENV)/.dev ## Bring the desk's catalogues up to what its pages say, and name what nobody has translated
	$(BIN)/python -m streams.generate.messages

commands: $(VENV)/.dev ## Generate docs/commands.md: what --help says of each command
	$(BIN)/python -m streams.generate.commands

site: $(VENV)/.dev ## Build the documents as a site in build/site; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q

manifests: $(VENV)/.dev ## Generate config/kubernetes/topics/: the topics for Strimzi
	$(BIN)/python -m streams.generate.kubernetes

places: $(VENV)/.dev ## Build the gazetteer anew from GeoNames' and CLDR's packages
	$(BIN)/python -m streams.generate.places

tickers: $(VENV)/.dev ## Build the table of ticker symbols anew from pytickersymbols
	$(BIN)/python -m streams.generate.tickers

letters: $(VENV)/.dev ## Build the models of letters anew from CLDR and the lexicon
	$(BIN)/python -m streams.generate.letters

worldmap: $(VENV)/.dev ## Draw the desk's map of the world anew from npm's world-atlas
	cd $(VENV) && npm pack --silent world-atlas@2.0.2
	$(BIN)/python -m streams.generate.world_map $(VENV)/world-atlas-2.0.2.tgz

# So that numpy computes alike on every x86 processor with AVX2, to the last bit.
SAME_BYTES := OPENBLAS_CORETYPE=Haswell NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL AVX512_SPR" PYTHONHASHSEED=0

model: $(VENV)/.dev ## Train the shipped name recogniser (needs the training corpora; two cores, under an hour)
	$(SAME_BYTES) $(BIN)/python -m tests.benchmarks.train_ner $(ARGS)

vectors: $(VENV)/.dev ## Make the words and places of the step cluster anew (about half an hour; two more packages)
	$(BIN)/python -m pip install -q --require-hashes -r locks/vectors.txt
	$(BIN)/python -m tests.benchmarks.make_vectors $(ARGS)
	$(BIN)/python -m tests.benchmarks.make_cluster_places

clusters: $(VENV)/.dev ## Grow the trees of the step cluster anew (ARGS: events and labels, in pairs)
	$(BIN)/python -m tests.benchmarks.train_clusters $(ARGS)

bench: $(VENV)/.dev ## Measure: throughput and start-up, as ratios against named peers in the same run
	$(BIN)/python -m tests.benchmarks.embedded $(ARGS)

fuzz: $(VENV)/.dev ## Search FUZZ_MINUTES (20) for inputs that cost more than their size
	$(BIN)/python -m tests.hostile.fuzz --minutes $(FUZZ_MINUTES) $(ARGS)

trials: $(VENV)/.dev ## Do to real servers what others do to them, and print what wiredesk made of it (takes long)
	WIRETEST_TRIALS=1 $(BIN)/python -m pytest -q -m trial $(ARGS) tests/trials tests/streams/sources

soak: $(VENV)/.dev ## Run a fleet for an hour while things go wrong, and table what came of it (ARGS="--minutes 20")
	$(BIN)/python -m tests.soak $(ARGS)

readers: $(VENV)/.dev ## Read 500 events with classes that others' tools generate from the schemas (npm, Maven, Go)
	WIRETEST_READERS=1 $(BIN)/python -m pytest -q $(ARGS) tests/readers

hostile: $(VENV)/.dev ## 2,000 hostile documents through every step and a running wiredesk, as a table
	$(BIN)/python -m tests.hostile.corpus $(ARGS)

screenshots: $(VENV)/.dev ## Take the desk's pictures of the documents anew, of the bundled samples (needs Chromium)
	$(BIN)/python -m tests.acceptance.screenshots

clean: ## Remove the environment and caches (not the data)
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "wiredesk needs Python 3.11 or newer; set PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "wiredesk needs Python's venv: on Debian and Ubuntu, apt install python3-venv" >&2; exit 1; }

$(VENV)/.embedded: pyproject.toml locks/embedded.txt | $(VENV)/bin/python
	@echo "Installing wiredesk (about a minute the first time) …"
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on --require-hashes -r locks/embedded.txt
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps -e .
	@touch $@

$(VENV)/.fleet: pyproject.toml locks/fleet.txt | $(VENV)/bin/python
	@echo "Installing wiredesk with what a fleet needs, Kafka and Elasticsearch (about a minute) …"
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on --require-hashes -r locks/fleet.txt
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps -e .
	@touch $@ $(VENV)/.embedded

$(VENV)/.dev: pyproject.toml locks/dev.txt | $(VENV)/bin/python
	@echo "Installing wiredesk with its test tools (about a minute the first time) …"
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on --require-hashes -r locks/dev.txt
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps -e .
	@touch $@ $(VENV)/.embedded
