# `make run` and `make test` set up everything they need. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
export PYTHONPATH := src/Recognizer
export TF_CPP_MIN_LOG_LEVEL ?= 2
# Whatever the user's environment says: TensorFlow that is compiled anew at each start takes twice as long to import.
unexport PYTHONDONTWRITEBYTECODE

# One line, and of any Python's grammar; what it ends with is shown.
USABLE := import sys; (3, 11) <= sys.version_info[:2] < (3, 14) or sys.exit("it is Python " + sys.version.split()[0]); import ensurepip, venv
# The newest suitable interpreter that really starts (version managers leave shims that do not); looked for once, when
# it is first needed.
FOUND = $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c '$(USABLE)' >/dev/null 2>&1 && echo $$python && break; done)
PYTHON ?= $(eval PYTHON := $(FOUND))$(PYTHON)
NEEDED := Recognizer needs Python 3.11 to 3.13 with venv (Debian: apt install python3 python3-venv; macOS: brew install python@3.13)

.PHONY: help run batch model mirror test own-classifier torture check e2e cloud deploy publish destroy pin-base bench bench-container accuracy format lock sbom licences clean

help: ## what there is to make
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

run: $(VENV)/run ## serve the detector on http://127.0.0.1:3000 (PORT, HOST, ENGINE, MODEL_URL, LABELS_URL, CLASSIFIER_URL, LOG=json)
	@$(BIN)/python -m model_build --keep --allow-fallback
	@exec $(BIN)/python -m local

batch: $(VENV)/run ## recognise a whole folder (FROM=folder or s3://…; OUT=recognised, BATCH="--options n=5 --limit")
	@$(BIN)/python -m model_build --keep --allow-fallback
	@$(BIN)/python -m local.batch $(FROM) $(if $(OUT),--out $(OUT)) $(BATCH)

model: $(VENV)/run ## fetch the model again (ENGINE, MODEL_URL, MODEL_SHA256, LABELS_URL, CLASSIFIER_URL)
	$(BIN)/python -m model_build --allow-fallback

mirror: $(VENV)/run ## keep a copy of the model and its digest for your team (TO=folder or s3://bucket/prefix; MODEL_URL)
	@[ -n "$(TO)" ] || { echo "Say where: make mirror TO=s3://bucket/models, or TO=/a/folder" >&2; exit 1; }
	@$(BIN)/python -m model_build.mirror "$(TO)"

test: $(VENV)/dev $(VENV)/clients/ready ## unit, functional and contract tests, and the handler under the real Lambda runtime
	$(BIN)/python -m pytest $(PYTEST)

own-classifier: $(VENV)/dev ## train a classifier on handwritten digits (see examples/own_classifier)
	@$(BIN)/python -m examples.own_classifier.digits .cache/digits
	@$(BIN)/python -m examples.own_classifier.train .cache/digits examples/own_classifier/model --name digits

torture: $(VENV)/dev ## try to bring the service down: some hundred requests; TORTURE=full: all there is, and write it down
	@TORTURE=$(or $(TORTURE),short) $(BIN)/python -m tests.torture

check: $(VENV)/dev $(VENV)/scan/ready ## what CI checks before the tests: format, lint, types, layers, templates
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	PYTHONPATH=examples/xgboost/src $(BIN)/lint-imports --config examples/xgboost/pyproject.toml
	$(BIN)/cfn-lint template.yaml deploy/*.yaml examples/*/template.yaml
	export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-us-east-1}; \
	for template in template.yaml examples/*/template.yaml; do $(BIN)/sam validate --lint --template $$template; done
	@mkdir -p .aws-sam && $(BIN)/python -m tests.contract.cloudformation > .aws-sam/stack.json
	$(VENV)/scan/bin/checkov --config-file .checkov.yaml
	$(BIN)/hadolint src/Recognizer/Dockerfile examples/*/src/Dockerfile

bench: $(VENV)/dev $(VENV)/served/ready ## measure cold start, warm requests and memory against a plain handler (MODEL_URL; BENCH=--quick)
	$(BIN)/python -m benchmarks $(BENCH)

bench-container: $(VENV)/dev ## the same in the two images, with one CPU and 1769 MB (needs Docker)
	$(BIN)/python -m benchmarks.container

accuracy: $(VENV)/dev ## measure COCO's average precision of the model in use (PICTURES=folder, MODEL_URL)
	@$(BIN)/python -m benchmarks.accuracy

e2e: $(VENV)/dev ## sam build, sam local and docker run against the Lambda base image (needs Docker)
	$(BIN)/python -m pytest -m container tests/container $(PYTEST)

cloud: $(VENV)/dev $(VENV)/cloud/ready ## deploy all of it to a cloud on this machine, change it, ask it, delete it (needs Docker)
	$(BIN)/python -m pytest -m cloud tests/cloud $(PYTEST)

deploy: $(VENV)/dev ## build and deploy to AWS, without questions (STAGE=dev, stage or prod)
	@$(BIN)/python -m deploy $(STAGE)
publish: $(VENV)/dev ## build the image of an environment, push it, wait for its scan, print its address (STAGE=dev, stage or prod)
	@$(BIN)/python -m deploy.publish $(STAGE)

destroy: $(VENV)/dev ## delete an environment (STAGE=dev STACK=recognizer-dev)
	@$(BIN)/python -m deploy.destroy "$(STAGE)" "$(STACK)"

# ARG BASE of the Dockerfile, as the registry has it now; a build then repeats itself until this is run again.
BASE := public.ecr.aws/lambda/python:3.13
pin-base: ## name the base image by its present digest (needs Docker and a route to its registry)
	@docker pull --quiet $(BASE) >/dev/null
	@digest=$$(docker image inspect --format '{{index .RepoDigests 0}}' $(BASE)) && [[ $$digest == *@sha256:* ]] \
		|| { echo "$(BASE) has no digest on this machine: it was made here, not pulled." >&2; exit 1; }; \
	sed -i.before -E "s|^ARG BASE=.*|ARG BASE=$(BASE)@$${digest#*@}|" src/Recognizer/Dockerfile \
		&& rm src/Recognizer/Dockerfile.before && grep '^ARG BASE=' src/Recognizer/Dockerfile

format: $(VENV)/dev ## format and mend what can be mended
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lock: $(VENV)/uv ## write the locked requirements from pyproject.toml
	$(call compile,dev,requirements/dev.txt,--group examples/xgboost/pyproject.toml:dev)
	$(foreach group,sbom cloud scan clients,$(call compile,$(group),requirements/$(group).txt))
	$(foreach group,run uv,$(call compile,$(group),requirements/$(group).txt,$(AS_TESTED)))
	$(foreach group,tensorflow litert build,$(call compile,$(group),src/Recognizer/requirements-$(group).txt,$(AS_TESTED)))
	$(MAKE) --directory examples/xgboost lock UV=$(abspath $(BIN)/uv) CONSTRAINT=$(abspath requirements/dev.txt)

sbom: $(VENV)/sbom/ready ## write what is in the images, as CycloneDX JSON, into sbom/
	@mkdir -p sbom
	@for engine in tensorflow litert; do $(VENV)/sbom/bin/python -W ignore -m cyclonedx_py requirements --output-reproducible \
		--pyproject pyproject.toml --output-file sbom/$$engine.cdx.json src/Recognizer/requirements-$$engine.txt; done
	@ls sbom/*.cdx.json

licences: $(VENV)/dev ## write docs/licences.md, from what is installed
	$(BIN)/python requirements/licences.py > docs/licences.md

clean: ## remove what was built and downloaded
	rm -rf $(VENV) .cache .aws-sam sbom src/Recognizer/model examples/own_classifier/model

# The environment grows in three steps, each a lock of its own: uv alone, what running needs, what developing needs.
$(VENV)/uv: requirements/uv.txt
	@[ -n "$(PYTHON)" ] || { echo "$(NEEDED). Another place: make PYTHON=/path/to/python3.13 …" >&2; exit 1; }
	@why=$$("$(PYTHON)" -c '$(USABLE)' 2>&1) || { echo "PYTHON=$(PYTHON) cannot be used: $$(tail -n 1 <<<"$$why"). $(NEEDED)." >&2; exit 1; }
	@echo "Setting up $(VENV) with $$("$(PYTHON)" --version)"
	@"$(PYTHON)" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

$(VENV)/run: requirements/run.txt $(VENV)/uv
	@echo "Installing what running needs (0.35 GB to download, 1.5 GB on disk)"
	@$(INSTALL)
	@touch $@

$(VENV)/dev: requirements/dev.txt $(VENV)/run
	@echo "Installing what tests and checks need"
	@$(INSTALL)
	@touch $@

# Tools that would not go together with the rest have an environment of their own, below the other one.
$(VENV)/%/ready: requirements/%.txt $(VENV)/uv
	@$(call apart)

# What is measured has what running needs and nothing else, as in the images: TensorFlow's Keras imports scikit-learn and
# Matplotlib where it finds them, a second of each start.
$(VENV)/served/ready: requirements/run.txt $(VENV)/uv
	@$(call apart,--compile-bytecode)

apart = $(BIN)/uv venv --quiet --clear --python $(BIN)/python $(@D) \
	&& $(BIN)/uv pip install --quiet $(1) --python $(@D)/bin/python --no-deps --require-hashes -r $< && touch $@

# Exactly what the lock says. Dependencies are not looked at: the lock is complete, and leaves out on purpose what some
# packages wrongly ask for (see pyproject.toml).
INSTALL = $(BIN)/uv pip sync --python $(BIN)/python --require-hashes $< \
	|| { echo "uv reads no settings of pip: an index of your own is named in UV_DEFAULT_INDEX." >&2; exit 1; }

AS_TESTED := --constraint requirements/dev.txt --no-annotate
define compile
$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock" $(3) --group pyproject.toml:$(1) --output-file $(2)

endef
