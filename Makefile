# `make run` and `make test` set up everything they need. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
export PYTHONDONTWRITEBYTECODE := 1
export PYTHONPATH := src/Recognizer
export TF_CPP_MIN_LOG_LEVEL ?= 2

# The newest suitable interpreter that really starts (version managers leave shims that do not).
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(not (3, 11, 4) <= sys.version_info[:3] < (3, 14))' \
		>/dev/null 2>&1 && echo $$python && break; done)

.PHONY: help run model test check e2e bench bench-container format lock clean

help: ## what there is to make
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

run: $(VENV)/ready ## serve the detector on http://127.0.0.1:3000 (PORT, HOST, ENGINE, MODEL_URL)
	@$(BIN)/python -m model_build --keep --allow-fallback
	@exec $(BIN)/python -m local

model: $(VENV)/ready ## fetch the model again (ENGINE, MODEL_URL, MODEL_SHA256)
	$(BIN)/python -m model_build --allow-fallback

test: $(VENV)/ready ## unit, functional and contract tests, and the handler under the real Lambda runtime
	$(BIN)/python -m pytest $(PYTEST)

check: $(VENV)/ready ## what CI checks before the tests: format, lint, types, layers, templates
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint template.yaml
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-us-east-1} $(BIN)/sam validate --lint
	$(BIN)/hadolint src/Recognizer/Dockerfile

bench: $(VENV)/ready ## measure cold start, warm requests and memory against a plain handler (MODEL_URL; BENCH=--quick)
	$(BIN)/python -m benchmarks $(BENCH)

bench-container: $(VENV)/ready ## the same in the two images, with one CPU and 1769 MB (needs Docker)
	$(BIN)/python -m benchmarks.container

e2e: $(VENV)/ready ## sam build, sam local and docker run against the Lambda base image (needs Docker)
	$(BIN)/python -m pytest -m container tests/container $(PYTEST)

format: $(VENV)/ready ## format and mend what can be mended
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lock: $(VENV)/ready ## write the locked requirements from pyproject.toml
	$(foreach group,tensorflow litert build,$(call compile,$(group),src/Recognizer/requirements-$(group).txt))
	$(call compile,dev,requirements-dev.txt)

clean: ## remove what was built and downloaded
	rm -rf $(VENV) .cache .aws-sam src/Recognizer/model

# --no-deps: the lock is complete, and leaves out on purpose what two packages wrongly ask for (see pyproject.toml).
$(VENV)/ready: requirements-dev.txt
	@[ -n "$(PYTHON)" ] || { echo "Recognizer needs Python 3.11.4 to 3.13 with venv; install one (Debian: apt install python3 python3-venv; macOS: brew install python@3.13), or name it: make PYTHON=/path/to/python3.13 …" >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) (about a minute, once)…"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	@touch $@

define compile
$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock" --group pyproject.toml:$(1) --output-file $(2)

endef
