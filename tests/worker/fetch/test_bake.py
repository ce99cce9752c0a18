"""A model in an image: the program that Dockerfile.worker runs, how it is run, and what it leaves for the worker."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hibari.voices import DEFAULT, voice_path

from tests.support.badserver import BadServer, serving
from tests.support.worker.fetch_program import PATIENCE_SECONDS
from ttscontract.model_folder import IMAGE_MODEL_NAME
from ttscontract.worker_config import Manager
from ttsworker.fetch.bake import checked_name, name_of
from ttsworker.fetch.errors import FetchError
from ttsworker.models.store import verify_model
from ttsworker.settings import load_settings

DOCKERFILE = Path(__file__).parents[3] / "Dockerfile.worker"


def bake(image: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    places = ["--models", str(image / "models"), "--config", str(image / "worker.json")]
    command = [sys.executable, "-m", "ttsworker.fetch.bake", *arguments, *places]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)


def test_the_image_serves_the_model_without_settings(tmp_path: Path) -> None:
    with serving(BadServer(Path(voice_path(DEFAULT)).read_bytes())) as server:
        done = bake(tmp_path, "--source", f"{server.url}/Alba%20v2.onnx", "--sha256", server.sha256)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(
        r"the image has the model alba-v2, 7\.6 MiB, spoken by hibari, \d+\.\d{3} s for 1 s of audio; "
        r"in Kubernetes it is builtin://alba-v2\n",
        done.stdout,
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["models", "worker.json"]
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["alba-v2"]
    settings = load_settings({}, image_config=tmp_path / "worker.json")
    assert (settings.engine, settings.model_dir) == ("hibari", tmp_path / "models/alba-v2")
    verify_model(tmp_path / "models/alba-v2", Manager.OPERATOR)
    command = [sys.executable, "-m", "ttsworker", "say", "Hello.", "-o", str(tmp_path / "hello.wav")]
    environment = os.environ | {"TTSWORKER_CONFIG": str(tmp_path / "worker.json")}
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=PATIENCE_SECONDS)
    assert (tmp_path / "hello.wav").stat().st_size > 10_000


def test_the_engines_own_voice_can_be_baked_by_its_name(tmp_path: Path) -> None:
    done = bake(tmp_path, "--source", "builtin://hibari", "--engine", "hibari")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "models/hibari/hibari.onnx").exists()


@pytest.mark.parametrize(
    ("file", "arguments", "words"),
    [
        (
            "voice.onnx",
            [],
            [
                *("no engine of this image can speak the model: hibari: voice.onnx is not an ONNX model",),
                *("onnx: voice.onnx.json is not beside voice.onnx", "coqui: "),
            ],
        ),
        ("voice.onnx", ["--engine", "hibari"], ["speak the model: hibari: voice.onnx is not an ONNX model"]),
        ("voice.onnx", ["--engine", "espeak"], ["the engines are coqui, hibari, onnx"]),
        ("hibari.onnx", [], ["builtin://hibari is the engine's own voice: set MODEL_NAME to another name"]),
        ("voice.onnx", ["--name", "My_Voice"], ["set MODEL_NAME to lower-case letters, digits, - and ."]),
    ],
)
def test_a_build_fails_where_the_model_cannot_be_served(
    tmp_path: Path, file: str, arguments: list[str], words: list[str]
) -> None:
    with serving(BadServer(b"no model")) as server:
        done = bake(tmp_path, "--source", f"{server.url}/{file}", "--sha256", server.sha256, *arguments)
    assert done.returncode == 1
    told = done.stderr.splitlines()[-1]
    assert told.startswith("error: ")
    assert all(each in told for each in words), told
    assert not (tmp_path / "worker.json").exists()


def test_messages_name_the_arguments_of_the_build(tmp_path: Path) -> None:
    done = bake(tmp_path, "--source", "http://host/voice.onnx")
    assert (
        done.stderr
        == "error: the source cannot be used: http:// does not protect the download: set MODEL_SHA256, or use https://\n"
    )


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("https://host/alba.onnx", "alba"),
        ("https://host/a/Alba_Medium.onnx?download=true", "alba-medium"),
        ("https://host/en_US-lessac-medium.tar.gz", "en-us-lessac-medium"),
        ("https://host/tts_models--en--ljspeech--vits.zip", "tts-models--en--ljspeech--vits"),
        ("https://host/voice-v1.2.tgz", "voice-v1.2"),
        ("https://host/a%20b.TAR.XZ", "a-b"),
        ("https://host/-x-.pth", "x"),
        ("https://host/noext", "noext"),
        (f"https://host/{'a' * 80}.onnx", "a" * 63),
        ("builtin://hibari", "hibari"),
    ],
)
def test_a_models_name_is_that_of_its_file(source: str, name: str) -> None:
    assert name_of(source) == name
    assert checked_name(name, source) == name
    assert re.fullmatch(IMAGE_MODEL_NAME, name)


@pytest.mark.parametrize("source", ["https://host/模型.onnx", "https://host/_.onnx", "https://host/"])
def test_a_file_without_a_usable_name_asks_for_one(source: str) -> None:
    with pytest.raises(FetchError, match="set MODEL_NAME"):
        checked_name(name_of(source), source)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, None),
        ({"MODEL": ""}, None),
        ({"MODEL": "https://host/a.onnx?x=1&y=$HOME 2"}, ["--source", "https://host/a.onnx?x=1&y=$HOME 2"]),
        (
            {"MODEL": "https://h/a", "MODEL_SHA256": "3f", "MODEL_NAME": "a b", "MODEL_ENGINE": "coqui"},
            ["--source", "https://h/a", "--sha256", "3f", "--name", "a b", "--engine", "coqui"],
        ),
    ],
)
def test_the_build_runs_it_with_its_arguments(
    tmp_path: Path, arguments: dict[str, str], words: list[str] | None
) -> None:
    text = DOCKERFILE.read_text().replace("\\\n", " ")
    [step] = [line.removeprefix("RUN ") for line in text.splitlines() if "ttsworker.fetch.bake" in line]
    for name in ("MODEL", "MODEL_SHA256", "MODEL_NAME", "MODEL_ENGINE"):
        assert f"\nARG {name}\n" in text
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n')
    python.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", **arguments}
    done = subprocess.run(["sh", "-c", step], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ([] if words is None else ["-m", "ttsworker.fetch.bake", *words])
