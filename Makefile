# `make demo` and `make test` do all set-up themselves.  `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header
# Two for each processor: a third of the tests' time is waiting for processes, disks and pages.
WORKERS ?= 4
# Where bytecode may not be kept, each of some hundred processes compiles the product anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test test-hardware test-machine test-ansible test-arm64 wheelhouse soak bench audit fuzz mutation lint fmt lock clean
.DEFAULT_GOAL := help

help: ## List what make can do
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

setup: ## Prepare .venv with tillbox-edge and tillbox-cloud, and build both web apps
	@$(PYTHON) -m tests.lab.bootstrap setup

demo: ## Run a chain on this machine: a cloud and four store boxes (CHECK=1: without a person)
	@$(PYTHON) -m tests.lab.bootstrap demo
	@exec $(BIN)/python -m tests.demo $(if $(filter-out 0,$(CHECK)),--check) $(ARGS)

test: ## Run every test and every house rule (ARGS=... goes to pytest)
	@$(PYTHON) -m tests.lab.bootstrap test
	@exec $(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

test-hardware: ## Try the device layer on a real kernel with scanners and printers plugged in and out
	@$(PYTHON) -m tests.lab.bootstrap hardware
	@exec $(BIN)/python -m tests.hardware $(ARGS)

test-machine: ## Cut the power of a whole emulated machine (Debian's kernel) while its box sells; slow
	@$(PYTHON) -m tests.lab.bootstrap hardware
	@exec $(BIN)/python -m tests.hardware.whole

test-ansible: ## Provision bare Debian machines over SSH as cloud and store boxes, and live through their days
	@$(PYTHON) -m tests.lab.bootstrap ansible
	@exec $(BIN)/python -m tests.ansible $(ARGS)

test-arm64: ## Provision a bare Debian for ARM, as on a Raspberry Pi, through an emulator, and let it sell; slow
	@$(PYTHON) -m tests.lab.bootstrap ansible
	@exec $(BIN)/python -m tests.arm64 $(ARGS)

wheelhouse: ## Everything that machines install, as wheels in dist/wheelhouse (KEY=file signs it; ARCH=arm64: for boxes)
	@$(PYTHON) -m tests.lab.bootstrap setup
	@exec $(BIN)/python -m $(if $(filter arm64,$(ARCH)),tests.arm64.wheels,tests.lab.wheelhouse) $(if $(KEY),--key $(KEY))

fuzz: ## Send EXAMPLES=n requests per endpoint and role, made from both APIs' own descriptions
	@$(PYTHON) -m tests.lab.bootstrap test
	@FUZZ_EXAMPLES=$(or $(EXAMPLES),50) exec $(BIN)/python -m pytest -p no:xdist -o timeout=0 \
		tests/integration/cloud/test_api_fuzz.py tests/integration/edge/test_strange_requests.py $(ARGS)

soak: ## Simulate SEEDS=n more days of bad luck on all cores (ARGS="--seed N" replays one)
	@$(PYTHON) -m tests.lab.bootstrap setup
	@exec $(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),1000) $(ARGS)

bench: ## Print the benchmark table (ARGS="--json FILE" writes it too)
	@$(PYTHON) -m tests.lab.bootstrap bench
	@exec $(BIN)/python -m tests.bench $(ARGS)

audit: ## List what the product is made of, its licences, and what is known to be bad about it
	@$(PYTHON) -m tests.lab.bootstrap setup
	@exec $(BIN)/python -m tests.audit

mutation: ## Break the pricing engine in many small ways and count what the tests notice
	@$(PYTHON) -m tests.lab.bootstrap mutation
	@exec $(BIN)/python -m tests.mutation $(ARGS)

lint: setup ## Check style, types, imports and both web apps
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python hatch_build.py npm run check

fmt: setup ## Put every Python file into its one format
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

lock: setup ## Pin the newest allowed versions again (npm: edit package.json, then npm install)
	$(UV_COMPILE) pyproject.toml --upgrade --extra edge --extra cloud --extra dev -o requirements.lock
	$(UV_COMPILE) pyproject.toml --upgrade --extra edge -c requirements.lock -o requirements-edge.lock
	$(UV_COMPILE) pyproject.toml --upgrade --extra cloud -c requirements.lock -o requirements-cloud.lock
	$(UV_COMPILE) pyproject.toml --upgrade --extra demo -c requirements.lock -o requirements-demo.lock
	$(UV_COMPILE) --group bench --upgrade -o requirements-bench.lock
	$(UV_COMPILE) --group mutation --upgrade -c requirements.lock -o requirements-mutation.lock
	echo "ansible-core>=2.19,<2.20 ansible-lint>=25" | tr ' ' '\n' | $(UV_COMPILE) - --upgrade -o requirements-ansible.lock
	$(UV_COMPILE) --group esphome --upgrade -o requirements-esphome.lock
	$(UV_COMPILE) --group audit --upgrade -o requirements-audit.lock
	echo "emupos==0.4.0" | $(subst 3.11,3.13,$(UV_COMPILE)) - -o requirements-emupos.lock
	$(BIN)/python hatch_build.py node-wheel | $(UV_COMPILE) - -o requirements-node.lock

clean: ## Remove everything that the other targets made
	rm -rf .venv .cache .demo dist node_modules edge/http/static cloud/http/static
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find edge cloud shared tests -name __pycache__ -type d -prune -exec rm -rf {} +
