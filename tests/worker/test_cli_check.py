"""`ttsworker check` as people and probes use it: what it finds, what it says, and its exit code."""

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hibari.voices import DEFAULT, voice_path

from tests.support.certificates import make_expired, make_pair
from tests.support.valkey import running_valkey
from tests.support.worker.command_line import ttsworker
from tests.support.worker.serving import PATIENCE_SECONDS, worker_process
from ttsworker.models.store import build_manifest, write_manifest


def checked(folder: Path, *arguments: str, **environment: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Run `check --json` on free ports; returns the exit code and what was found by name."""
    ports = {"TTSWORKER_HOST": "127.0.0.1", "TTSWORKER_PORT": "0", "TTSWORKER_METRICS_PORT": "0"}
    done = ttsworker("check", "--json", *arguments, folder=folder, environment=ports | environment)
    report = json.loads(done.stdout)
    assert report["ok"] == (done.returncode == 0)
    assert b"Traceback" not in done.stderr
    return done.returncode, {finding["name"]: finding for finding in report["checks"]}


def test_check_finds_a_good_machine_good(tmp_path: Path) -> None:
    ports = {"TTSWORKER_HOST": "127.0.0.1", "TTSWORKER_PORT": "0", "TTSWORKER_METRICS_PORT": "0"}
    done = ttsworker("check", folder=tmp_path, environment=ports)
    assert done.returncode == 0, done.stdout
    lines = {line.split()[1]: line for line in done.stdout.decode().splitlines()}
    assert list(lines) == [
        *("settings", "gpu", "espeak-ng", "ffmpeg", "tls", "api_keys", "redis", "port", "metrics_port"),
        *("model", "engine"),
    ]
    assert "hibari runs on the cpu" in lines["engine"]


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[str]:
    """A real server; gives its URL."""
    with running_valkey(tmp_path) as server:
        yield server.url


def test_check_names_everything_that_is_wrong_at_once(tmp_path: Path) -> None:
    pair, other = make_pair(tmp_path, "one"), make_pair(tmp_path, "two")
    model = tmp_path / "model"
    model.mkdir()
    (model / "voice.onnx").write_text("good")
    write_manifest(model, build_manifest(model, source="https://example.org/voice.onnx"))
    (model / "voice.onnx").write_text("evil")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, found = checked(
            tmp_path,
            TTSWORKER_TLS_CERTIFICATE_FILE=str(pair.chain),
            TTSWORKER_TLS_KEY_FILE=str(other.key),
            TTSWORKER_API_KEYS_FILE=str(tmp_path / "nowhere"),
            TTSWORKER_REDIS_URL="redis://:swordfish@127.0.0.1:1/0",
            TTSWORKER_MODEL_DIR=str(model),
            TTSWORKER_PORT=str(taken.getsockname()[1]),
        )
    assert code == 1
    assert {name for name, finding in found.items() if finding["status"] == "FAIL"} == {
        *("tls", "api_keys", "port", "model")
    }
    assert "is not the key of" in found["tls"]["message"]
    assert "set TTSWORKER_API_KEYS_FILE" in found["api_keys"]["action"]
    assert "set TTSWORKER_PORT to a free port" in found["port"]["message"]
    assert "voice.onnx has changed" in found["model"]["message"]
    assert found["redis"]["status"] == "WARN"  # a worker serves without its cache
    assert "swordfish" not in json.dumps(found)
    assert "engine" not in found  # a damaged model is not loaded


def test_check_accepts_a_folder_that_nobody_published(tmp_path: Path) -> None:
    (tmp_path / "voices").mkdir()
    code, found = checked(tmp_path, TTSWORKER_MODEL_DIR=str(tmp_path / "voices"))
    assert (code, found["model"]["status"]) == (1, "FAIL")
    assert "the folder is empty; check what is mounted there" in found["model"]["message"]
    shutil.copy(voice_path(DEFAULT), tmp_path / "voices/mine.onnx")
    code, found = checked(tmp_path, TTSWORKER_MODEL_DIR=str(tmp_path / "voices"))
    assert (code, found["model"]["status"], found["engine"]["status"]) == (0, "OK", "OK")
    assert "has no manifest to verify it with" in found["model"]["message"]


def test_check_tells_what_can_be_used(tmp_path: Path, valkey: str) -> None:
    pair = make_pair(tmp_path, "one", days=100)
    keys = tmp_path / "keys"
    keys.write_text("alice a-key-for-the-tests\n")
    code, found = checked(
        tmp_path,
        TTSWORKER_TLS_CERTIFICATE_FILE=str(pair.chain),
        TTSWORKER_TLS_KEY_FILE=str(pair.key),
        TTSWORKER_API_KEYS_FILE=str(keys),
        TTSWORKER_REDIS_URL=valkey,
    )
    assert code == 0, found
    assert {finding["status"] for finding in found.values()} == {"OK"}
    assert "valid for 100 days" in found["tls"]["message"]
    assert found["redis"]["message"] == "answers"


@pytest.mark.parametrize(("days", "words"), [(3, "expires in 3 days"), (-1, "has expired")])
def test_check_warns_of_a_certificate_that_ends(tmp_path: Path, days: int, words: str) -> None:
    pair = make_pair(tmp_path, "old", days=days) if days > 0 else make_expired(tmp_path, "old")
    files = {"TTSWORKER_TLS_CERTIFICATE_FILE": str(pair.chain), "TTSWORKER_TLS_KEY_FILE": str(pair.key)}
    _, found = checked(tmp_path, "--engine", "espeak", **files)
    assert (found["tls"]["status"], words in found["tls"]["message"]) == ("WARN", True)
    assert found["engine"]["status"] == "FAIL"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it contains no key"),
        (b"# nobody\n", "it contains no key"),
        (b"a-key-without-a-name\n", "line 1: it needs a name and a key"),
        (b"alice sha256:swordfish\n", "line 1: sha256: needs 64 hexadecimal digits"),
        (b"\xff", "it is not UTF-8 text"),
    ],
)
def test_check_refuses_the_key_files_that_the_worker_refuses(tmp_path: Path, content: bytes, words: str) -> None:
    keys = tmp_path / "keys"
    keys.write_bytes(content)
    settings = {"TTSWORKER_API_KEYS_FILE": str(keys)}
    code, found = checked(tmp_path, "--engine", "espeak", **settings)
    assert (code, found["api_keys"]["status"]) == (1, "FAIL")
    assert words in found["api_keys"]["message"]
    assert "swordfish" not in json.dumps(found)
    with worker_process(settings) as worker:
        assert worker.process.wait(PATIENCE_SECONDS) == 2
    [line] = [line for line in worker.lines if line["level"] == "CRITICAL"]
    assert line["message"] == found["api_keys"]["message"]


@pytest.mark.parametrize("https", [False, True])
def test_check_knows_the_ports_of_the_worker_that_it_runs_beside(tmp_path: Path, *, https: bool) -> None:
    settings = {}
    if https:
        pair = make_pair(tmp_path, "one", days=100)
        settings = {"TTSWORKER_TLS_CERTIFICATE_FILE": str(pair.chain), "TTSWORKER_TLS_KEY_FILE": str(pair.key)}
    with worker_process(settings) as worker:
        listening = worker.wait_for("listening")
        port, metrics_port = str(listening["port"]), str(listening["metrics_port"])
        worker.wait_for("ready")
        _, found = checked(
            tmp_path,
            *("--engine", "espeak"),
            **settings,
            TTSWORKER_PORT=port,
            TTSWORKER_METRICS_PORT=metrics_port,
        )
        _, swapped = checked(
            tmp_path,
            *("--engine", "espeak"),
            **settings,
            TTSWORKER_PORT=metrics_port,
            TTSWORKER_METRICS_PORT=port,
        )
    assert found["port"]["status"] == found["metrics_port"]["status"] == "OK"
    assert found["port"]["message"] == f"{port} is in use by this worker"
    assert found["metrics_port"]["message"] == f"{metrics_port} is in use by this worker"
    assert swapped["port"]["status"] == swapped["metrics_port"]["status"] == "FAIL"
