# One-word commands. Every one does its own set-up: hack/bootstrap makes .venv, hack/images the images.
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
CODE := contract operator worker tools tests hack bench

.PHONY: help demo serve test test-unit test-cluster lint format images run-operator bench-operator bench-worker soak-worker devcluster-up devcluster-down lock generate page-picture clean

help:            ## this list
	@grep -hE '^[a-z-]+: .*##|^[a-z-]+:  *##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 18

demo:            ## a real Kubernetes, the operator, one TTSService: writes out/hello.wav
	@hack/demo

serve:           ## only the server, with its embedded voice, on port 5002
	@hack/bootstrap serve
	@.venv-serve/bin/python -m ttsworker serve

test:            ## everything: linters, unit tests, cluster tests on a real Kubernetes; PRESSURE=4 beside four busy loops
	@hack/test all

test-unit:       ## operator, worker and contract tests; needs no cluster
	@hack/test unit

test-cluster:    ## the stories on a real Kubernetes (KUBECONFIG's, else hack/devcluster's)
	@hack/test cluster

lint:            ## ruff, mypy, import-linter, helm lint
	@hack/test lint

format: .venv    ## let ruff put the code in order
	@.venv/bin/ruff check -q --fix $(CODE); .venv/bin/ruff format -q $(CODE)

images:          ## both images, with docker where an engine runs, else with buildah
	@hack/images operator worker-coqui

run-operator: .venv ## the operator from this checkout, against KUBECONFIG or the development cluster
	@KUBECONFIG=$${KUBECONFIG:-$$(python3 hack/devcluster kubeconfig)} $(PYTHON) -m ttsoperator

bench-operator: .venv ## what the operator adds: a table, and docs/bench/operator.json
	@$(PYTHON) -m bench.operator

bench-worker: .venv ## the worker against tts-server: a table, and docs/bench/worker.json
	@$(PYTHON) -m bench.worker $(if $(QUICK),--quick)

soak-worker: .venv ## 3,000 requests: does the worker's memory grow?
	@$(PYTHON) -m bench.soak

devcluster-up:   ## a real Kubernetes in namespaces of its own
	@python3 hack/devcluster up

devcluster-down: ## ends it and leaves nothing behind
	@python3 hack/devcluster down

lock: .venv      ## pin every dependency again
	@UV=$$(hack/tools uv) hack/lock

generate: .venv  ## render crds/, the chart's files/ and the generated parts of docs/ from the code
	@$(PYTHON) -m tools.crd crds; $(PYTHON) -m tools.crd charts/tts-operator/files
	@$(PYTHON) -m tools.apidoc docs/api.md; $(PYTHON) -m tools.metrics; $(PYTHON) -m tools.reasons docs; $(PYTHON) -m tools.rbac

page-picture: .venv ## take docs/page.png anew, of the worker's page
	@$(PYTHON) -m tests.support.worker.page_picture

clean:           ## what this checkout made; the caches below ~/.cache/tts-operator stay
	@rm -rf .venv .venv-serve out build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

.PHONY: .venv
.venv:
	@hack/bootstrap
