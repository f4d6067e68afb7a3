# make demo   sets up, builds the demonstration store, serves the app on PORT (8501)
# make test   sets up and runs everything, as CI does
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 8501
BIN := .venv/bin
STORE := stores/demo
DEMO := assets/demo

.PHONY: setup setup-dev demo store test check format bench clean

setup: .venv/.runtime
setup-dev: .venv/.dev

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Sparsight needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

.venv/.runtime: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

.venv/.dev: requirements.txt requirements-dev.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	touch $@ .venv/.runtime

# Built once, and again when the assets, the words or the store's format change; a build that was stopped goes on where
# it was. The old store stays until the new one is whole.
store: setup
	@$(MAKE) --no-print-directory $(STORE)/manifest.json

$(STORE)/manifest.json: $(wildcard $(DEMO)/pictures.tar $(DEMO)/encoder/* $(DEMO)/sae/*) assets/words/words.txt sae_core/store/layout.py
	rm -rf $(STORE)-next
	$(BIN)/python -m index_builder build --images $(DEMO)/pictures.tar --encoder demo --sae demo --out $(STORE)-next \
		--name "Emoji and clip art"
	rm -rf $(STORE)
	mv $(STORE)-next $(STORE)
	@echo "it is $(STORE) now, which make demo serves"

demo: store
	SPARSIGHT_STORE=$(STORE) $(BIN)/streamlit run app.py --server.port $(PORT)

check: setup-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Side by side, a file in one process: what its tests share is made once. In order, so that the longest are not last.
TEST_PROCESSES ?= 2
# With a process a core, more threads only wait for one another.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

test: setup-dev check browser store
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder
	@if $(BIN)/python -m container.build --look --data $(IMAGES); then $(MAKE) --no-print-directory container-test; \
	else echo "so the container was not tested"; fi

# The manifest's JSON schema, for those who write stores with something else.
.PHONY: schema
schema:
	$(BIN)/python -c 'import json; from sae_core.store.manifest import Manifest; print(json.dumps(Manifest.model_json_schema(), indent=2))' > docs/manifest.schema.json

# The image, on a machine without a container engine. IMAGES holds it, and 20 GB while it is built.
IMAGES ?= /var/tmp/sparsight-container
.PHONY: container container-test
container: setup-dev store
	$(BIN)/python -m container.build --data $(IMAGES) --store $(STORE)

container-test: container
	SPARSIGHT_CONTAINER=$(IMAGES) $(BIN)/python -m pytest tests/container

# The browser tests drive Debian's chromium; elsewhere CHROMIUM names the program.
.PHONY: browser
browser:
	@command -v $${CHROMIUM:-chromium} >/dev/null || { \
		echo "installing chromium for the browser tests"; \
		$$([ "$$(id -u)" = 0 ] || echo sudo) apt-get update -qq && \
		$$([ "$$(id -u)" = 0 ] || echo sudo) apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; }

# What Sparsight is measured beside; its pinned packages do not fit ours.
PEER ?= $(HOME)/.cache/sparsight/clip-retrieval

$(PEER)/.installed: requirements.txt
	$(PYTHON) -m venv $(PEER)
	$(PEER)/bin/python -m pip install --quiet clip-retrieval==2.45.0 'setuptools<80' $$(grep -E '^torch(vision)?==' requirements.txt)
	touch $@

bench: setup-dev browser store large-stores $(PEER)/.installed
	$(BIN)/python -m benchmarks.build_throughput
	$(BIN)/python -m benchmarks.build_throughput --vit --pictures 128
	$(BIN)/python -m benchmarks.clip_retrieval --python $(PEER)/bin/python
	$(BIN)/python -m benchmarks.precision
	$(BIN)/python -m benchmarks.thumbnails
	$(BIN)/python -m benchmarks.large_jpegs
	$(BIN)/python -m benchmarks.short_texts
	$(BIN)/python -m benchmarks.pooled_token
	$(BIN)/python -m benchmarks.allocator
	$(BIN)/python -m benchmarks.sae_encode
	$(BIN)/python -m benchmarks.recoding
	$(BIN)/python -m benchmarks.packing
	$(BIN)/python -m benchmarks.assembling
	$(BIN)/python -m benchmarks.image_index
	$(BIN)/python -m benchmarks.cluster
	$(BIN)/python -m benchmarks.text_search
	$(BIN)/python -m benchmarks.inspecting
	$(BIN)/python -m benchmarks.slow_pictures
	$(BIN)/python -m benchmarks.heat_maps
	$(BIN)/python -m benchmarks.neighbourhood
	$(BIN)/python -m benchmarks.found_again
	$(BIN)/python -m benchmarks.browsing
	$(BIN)/python -m benchmarks.map_points
	$(BIN)/python -m benchmarks.busy_products
	$(BIN)/python -m benchmarks.busy_encoder

	@if $(BIN)/python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then $(MAKE) --no-print-directory bench-gpu; \
	else echo "no GPU here, so what make bench-gpu measures was left out"; fi

# What only a GPU shows; the others of `bench` use one where there is one.
GPU_BUILD := benchmarks.build_throughput --device cuda --vit --precision fp16 --compile --distinct 256 --rounds 3
.PHONY: bench-gpu
bench-gpu: setup-dev
	$(BIN)/python -m $(GPU_BUILD) --pictures 6000
	$(BIN)/python -m $(GPU_BUILD) --decode gpu --pictures 64000 --mixed
	$(BIN)/python -m $(GPU_BUILD) --decode gpu --pictures 64000 --mixed --batch-size 256
	$(BIN)/python -m $(GPU_BUILD) --decode gpu --pictures 128000 --mixed --encoders 2
	$(BIN)/python -m $(GPU_BUILD) --decode gpu --pictures 128000 --mixed --encoders 4
	$(BIN)/python -m benchmarks.decoding_beside

# Stores of ImageNet's size and a tenth of it, without CLIP: 16 GB, 15 minutes.
.PHONY: large-stores
large-stores: stores/large/manifest.json stores/large-tenth/manifest.json

stores/large/manifest.json: | store setup-dev
	$(BIN)/python -m benchmarks.large_store --out stores/large --images 1280000

stores/large-tenth/manifest.json: | store setup-dev
	$(BIN)/python -m benchmarks.large_store --out stores/large-tenth --images 128000

# People's notes lie beside the stores, and stay.
clean:
	rm -rf .venv
	[ ! -d stores ] || find stores -mindepth 1 -maxdepth 1 ! -name '*.notes.sqlite*' -exec rm -rf {} +
