# One-word commands. Every one does its own set-up: hack/bootstrap makes .venv, hack/images the images.
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
CODE := contract operator worker tools tests hack bench

.PHONY: help demo serve test test-unit test-cluster lint format images run-operator bench-operator bench-worker bench-bounds soak-worker devcluster-up devcluster-down lock generate page-picture clean

help:            ## list the targets
	@grep -hE '^[a-z-]+: .*##|^[a-z-]+:  *##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 18

demo:            ## start a real Kubernetes, the operator and one TTSService: writes out/hello.wav
	@hack/demo

serve:           ## run only the server, with its embedded voice, on port 5002
	@hack/bootstrap serve
	@.venv-serve/bin/python -m ttsworker serve

test:            ## everything: linters, unit tests, cluster tests on a real Kubernetes; PRESSURE=4 beside four busy loops
	@hack/test all

test-unit:       ## run the operator, worker and contract tests; needs no cluster
	@hack/test unit

test-cluster:    ## run the cluster tests on a real Kubernetes (KUBECONFIG's, else hack/devcluster's)
	@hack/test cluster

lint:            ## run ruff, mypy, import-linter and helm lint
	@hack/test lint

format: .venv    ## format the code with ruff
	@.venv/bin/ruff check -q --fix $(CODE); .venv/bin/ruff format -q $(CODE)

images:          ## build both images, with docker if an engine runs, else with buildah
	@hack/images operator worker-coqui

run-operator: .venv ## run the operator from this checkout, against KUBECONFIG or the development cluster
	@KUBECONFIG=$${KUBECONFIG:-$$(python3 hack/devcluster kubeconfig)} $(PYTHON) -m ttsoperator

bench-operator: .venv ## measure the operator's cost: a table, and docs/bench/operator.json
	@$(PYTHON) -m bench.operator

bench-worker: .venv ## compare the worker with tts-server: a table, and docs/bench/worker.json
	@$(PYTHON) -m bench.worker $(if $(QUICK),--quick)

bench-bounds: .venv ## measure what hostile input costs against its length: a table, and docs/bench/bounds.json
	@$(PYTHON) -m bench.bounds $(if $(QUICK),--quick)

soak-worker: .venv ## send 3,000 requests and check that the worker's memory does not grow
	@$(PYTHON) -m bench.soak

devcluster-up:   ## start a real Kubernetes in its own namespaces
	@python3 hack/devcluster up

devcluster-down: ## stop it and clean up
	@python3 hack/devcluster down

lock: .venv      ## pin all dependencies again
	@UV=$$(hack/tools uv) hack/lock

generate: .venv  ## render crds/, the chart's files/ and the generated parts of docs/ from the code
	@$(PYTHON) -m tools.crd crds; $(PYTHON) -m tools.crd charts/tts-operator/files
	@$(PYTHON) -m tools.apidoc docs/api.md; $(PYTHON) -m tools.metrics; $(PYTHON) -m tools.reasons docs; $(PYTHON) -m tools.rbac

page-picture: .venv ## take a new docs/page.png of the worker's page
	@$(PYTHON) -m tests.support.worker.page_picture

clean:           ## delete this checkout's build results; keeps the caches in ~/.cache/tts-operator
	@rm -rf .venv .venv-serve .venv-clients out build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

.PHONY: .venv
.venv:
	@hack/bootstrap
