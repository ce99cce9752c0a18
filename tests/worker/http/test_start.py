"""How the worker starts: without any settings, with a published model, and not at all, with the reason told."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from hibari.voices import DEFAULT, voice_path

from tests.support.judge import SENTENCES, recognise
from tests.support.operator.world import service
from tests.support.worker.serving import WorkerProcess, worker_process
from ttscontract.engines import ENGINES
from ttsoperator.children.worker.configmap import render
from ttsoperator.children.worker.served_model import Serving as ServedModel
from ttsworker.models.store import build_manifest, write_manifest


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The embedded voice as the download Job publishes it."""
    folder = tmp_path / "models" / "m-0123456789abcdef"
    folder.mkdir(parents=True)
    shutil.copy(voice_path(DEFAULT), folder / "hibari.onnx")
    publish(folder)
    return folder


def publish(folder: Path) -> None:
    write_manifest(folder, build_manifest(folder, source="https://example.org/hibari.onnx"))


def test_without_settings_it_speaks_with_the_embedded_voice(hibari: WorkerProcess, api: httpx.Client) -> None:
    assert hibari.wait_for("loading")["model_dir"] is None
    answer = api.post("/v1/audio/speech", json={"input": SENTENCES[3], "response_format": "wav"})
    assert recognise(answer.content) == SENTENCES[3]


def test_it_serves_a_published_model_from_a_file_of_settings(model: Path, tmp_path: Path) -> None:
    config = tmp_path / "worker.json"
    config.write_text(json.dumps({"engine": "hibari", "model_dir": str(model), "model_name": "english"}))
    home = tmp_path / "home"
    home.mkdir()
    with worker_process({"TTSWORKER_CONFIG": str(config), "HOME": str(home)}) as worker:
        worker.wait_for("ready")
        with httpx.Client(base_url=worker.url, timeout=60) as client:
            assert client.get("/v1/models").json()["data"][0]["id"] == "english"
            body = {"input": SENTENCES[5], "response_format": "wav"}
            assert recognise(client.post("/v1/audio/speech", json=body).content) == SENTENCES[5]
        assert worker.terminate() == 0
    assert list(home.iterdir()) == []  # it needs no place to write


def test_it_serves_a_folder_that_nobody_published(model: Path) -> None:
    remove_the_manifest(model)
    with worker_process({"TTSWORKER_MODEL_DIR": str(model)}) as worker:
        worker.wait_for("the model folder has no manifest: its files are loaded unverified", model_dir=str(model))
        worker.wait_for("ready")
        with httpx.Client(base_url=worker.url, timeout=60) as client:
            body = {"input": SENTENCES[5], "response_format": "wav"}
            assert recognise(client.post("/v1/audio/speech", json=body).content) == SENTENCES[5]
        assert worker.terminate() == 0


def remove(model: Path) -> None:
    shutil.rmtree(model)


def change_a_byte(model: Path) -> None:
    content = bytearray((model / "hibari.onnx").read_bytes())
    content[1000] ^= 1
    (model / "hibari.onnx").write_bytes(content)


def remove_the_manifest(model: Path) -> None:
    (model / ".manifest.json").unlink()


def publish_something_else(model: Path) -> None:
    (model / "hibari.onnx").unlink()
    (model / "readme.txt").write_text("no model")
    publish(model)


def publish_no_onnx(model: Path) -> None:
    (model / "hibari.onnx").write_bytes(b"<html>Not found</html>")
    publish(model)


@pytest.mark.parametrize(
    ("damage", "reason", "words"),
    [
        (remove, "ModelMissing", "no model at"),
        (change_a_byte, "ModelCorrupt", "hibari.onnx has changed"),
        (publish_something_else, "ModelInvalid", "no *.onnx file"),
        (publish_no_onnx, "ModelInvalid", "not an ONNX model"),
    ],
)
def test_an_unloadable_model_ends_the_worker_with_the_reason(
    model: Path, tmp_path: Path, damage: Callable[[Path], None], reason: str, words: str
) -> None:
    damage(model)
    ended = start_and_fail(tmp_path, {"TTSWORKER_MODEL_DIR": str(model)})
    assert ended.process.returncode == 1
    assert_told(ended, tmp_path, reason, words)
    assert "Job" not in str(ended.lines)  # there is none without the operator


def test_on_the_operators_volume_a_model_that_is_not_published_is_refused(model: Path, tmp_path: Path) -> None:
    remove_the_manifest(model)
    config = tmp_path / "worker.json"
    served = ServedModel(model.name, ENGINES[0])
    written = json.loads(render(service(engine="hibari", model={"source": "https://example.org/hibari.onnx"}), served))
    config.write_text(json.dumps({**written, "model_dir": str(model)}))
    ended = start_and_fail(tmp_path, {"TTSWORKER_CONFIG": str(config)})
    assert ended.process.returncode == 1
    assert_told(ended, tmp_path, "ModelMissing", "delete the download Job so that it runs again")


@pytest.mark.parametrize(
    ("environment", "reason", "words"),
    [
        ({"TTSWORKER_ENGINE": "espeak"}, "EngineUnavailable", "the engines are coqui, hibari, onnx"),
        ({"TTSWORKER_PRECISION": "Float16"}, "ModelInvalid", "set precision to Auto"),
        ({"TTSWORKER_ENGINE": "coqui"}, "ModelInvalid", "set model_dir"),
    ],
)
def test_an_impossible_engine_ends_the_worker_with_the_reason(
    tmp_path: Path, environment: dict[str, str], reason: str, words: str
) -> None:
    ended = start_and_fail(tmp_path, environment)
    assert ended.process.returncode == 1
    assert_told(ended, tmp_path, reason, words)


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for name in ("TTSWORKER_PORT", "TTSWORKER_METRICS_PORT"):
            ended = start_and_fail(tmp_path, {name: str(taken.getsockname()[1])})
            assert ended.process.returncode == 2
            assert_told(ended, tmp_path, "ConfigInvalid", f"set {name} to a free port")


def test_wrong_settings_are_told() -> None:
    with worker_process({"TTSWORKER_THREAD": "2"}) as worker:
        assert worker.process.wait(200) == 2
    assert [line["message"] for line in worker.lines] == [
        next(line["message"] for line in worker.lines if "TTSWORKER_THREAD is not a setting" in line["message"])
    ]


def test_help_names_the_command() -> None:
    output = subprocess.run([sys.executable, "-m", "ttsworker", "--help"], capture_output=True, text=True, check=True)
    assert "serve" in output.stdout


def start_and_fail(tmp_path: Path, environment: dict[str, str]) -> WorkerProcess:
    log = tmp_path / "termination-log"
    log.touch()
    with worker_process({"TTSWORKER_TERMINATION_LOG": str(log), **environment}) as worker:
        worker.process.wait(200)
    return worker


def assert_told(ended: WorkerProcess, tmp_path: Path, reason: str, words: str) -> None:
    """One line in the log, without a trace, and the same in the termination message."""
    told = json.loads((tmp_path / "termination-log").read_text())
    assert told["reason"] == reason
    assert words in told["message"]
    [critical] = [line for line in ended.lines if line["level"] == "CRITICAL"]
    assert critical["message"] == told["message"]
    assert not any("exception" in line for line in ended.lines)
