"""Pods: the ports, paths, variables and user of the rendered manifests are those of the programs inside."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from tests.support.operator.world import HTTPS, World, downloaded
from tools.crd import structural_schema
from ttscontract import pods
from ttscontract.model_folder import MODEL_ROOT
from ttsoperator.spec import TTSServiceSpec
from ttsworker.http.access.middleware import OPEN_PATHS
from ttsworker.http.routes import probes
from ttsworker.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
DEFAULTS = Settings()


@pytest.fixture(scope="module")
def deployment() -> dict[str, Any]:
    """The pod of a worker whose model was downloaded."""
    world, wanted = World(), downloaded(source=HTTPS)
    world.step(wanted)
    world.finish_job()
    world.settle(wanted)
    pod: dict[str, Any] = world.one("Deployment")["spec"]["template"]["spec"]
    return pod


@pytest.fixture
def worker(deployment: dict[str, Any]) -> dict[str, Any]:
    [container] = deployment["containers"]
    return dict(container)


def test_the_worker_listens_on_the_ports_of_its_pod(worker: dict[str, Any]) -> None:
    ports = {port["name"]: port["containerPort"] for port in worker["ports"]}
    assert ports == {"http": DEFAULTS.port, "metrics": DEFAULTS.metrics_port}


def test_the_probes_ask_for_paths_that_the_worker_serves_without_a_key(worker: dict[str, Any]) -> None:
    app = FastAPI()
    app.include_router(probes.router)
    served = app.openapi()["paths"].keys()
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert worker[probe]["httpGet"]["path"] in served & OPEN_PATHS


def test_the_variable_of_the_pod_is_the_one_the_worker_reads(worker: dict[str, Any], tmp_path: Path) -> None:
    [variable] = [each for each in worker["env"] if each["name"] == pods.CONFIG_VARIABLE]
    assert variable["value"] == f"{pods.CONFIG_DIR}/{pods.CONFIG_FILE}"
    config = tmp_path / pods.CONFIG_FILE
    config.write_text('{"model_name": "english"}')
    assert load_settings({variable["name"]: str(config)}).model_name == "english"


def test_users_cannot_set_the_variables_of_the_worker() -> None:
    rules = structural_schema(TTSServiceSpec)["properties"]["podTemplate"]["properties"]["env"]["items"]
    [rule] = [each["rule"] for each in rules["x-kubernetes-validations"] if each.get("fieldPath") == ".name"]
    assert f"'{pods.VARIABLE_PREFIX}'" in rule
    assert Settings.model_config["env_prefix"] == pods.VARIABLE_PREFIX


def test_the_download_writes_where_the_worker_reads() -> None:
    world, wanted = World(), downloaded(source=HTTPS)
    world.step(wanted)
    [container] = world.one("Job")["spec"]["template"]["spec"]["containers"]
    arguments = dict(zip(container["command"][3::2], container["command"][4::2], strict=True))
    [mount] = [each for each in container["volumeMounts"] if each["name"] == "model"]
    assert mount["mountPath"] == arguments["--root"] == MODEL_ROOT
    assert arguments["--metrics-port"] == str(container["ports"][0]["containerPort"]) == str(pods.METRICS_PORT)
    world.finish_job()
    world.settle(wanted)
    config = json.loads(world.one("ConfigMap")["data"][pods.CONFIG_FILE])
    assert config["model_dir"] == f"{arguments['--root']}/{arguments['--key']}"


def test_the_image_runs_as_the_user_of_the_pods_and_names_their_ports(deployment: dict[str, Any]) -> None:
    text = (ROOT / "Dockerfile.worker").read_text()
    assert deployment["securityContext"]["runAsUser"] == pods.USER_ID
    assert f"\nUSER {pods.USER_ID}:{pods.USER_ID}\n" in text
    assert f"\nEXPOSE {pods.HTTP_PORT} {pods.METRICS_PORT}\n" in text
    assert f"USER {pods.USER_ID}:{pods.USER_ID}\n" in (ROOT / "Dockerfile.operator").read_text()
    chart = (ROOT / "charts/tts-operator/templates/deployment.yaml").read_text()
    assert set(re.findall(r"(?:runAsUser|runAsGroup|fsGroup): (\d+)", chart)) == {str(pods.USER_ID)}
