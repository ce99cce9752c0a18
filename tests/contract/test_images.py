"""What docs/images.md promises of every image, tried on the built ones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.contract.containers import Finished, Image, built_image
from ttscontract.model_folder import IMAGE_CONFIG, IMAGE_MODELS

ROOT = Path(__file__).parents[2]
TAGS = {"operator": "localhost/tts-operator:dev", "worker": "localhost/tts-worker:dev"}

# They need the right to run containers, as the cluster does; a first build takes minutes.
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

FORBIDDEN = """
import importlib.util, os, shutil
programs = ["gcc", "g++", "cc", "c++", "clang", "tcc", "as", "ld", "make", "go", "rustc", "pip", "pip3", "uv", "uvx"]
modules = ["pip", "setuptools", "ensurepip", "uv", "pytest", "mypy"]
print(*[p for p in programs if shutil.which(p, path=os.environ["PATH"] + ":/opt/uv/bin:/usr/sbin:/sbin")])
print(*[m for m in modules if importlib.util.find_spec(m)])
"""
WRITABLE = """
import os
open("/tmp/trial", "w").close()
for folder in ("/", "/opt/venv", "/usr", "/etc", "/var", os.path.dirname(os.__file__)):
    try:
        open(os.path.join(folder, "trial"), "w").close()
    except OSError:
        continue
    print(folder)
"""
NOT_COMPILED = """
import importlib, sys
importlib.import_module(sys.argv[1])
for name, module in sorted(sys.modules.items()):
    spec = getattr(module, "__spec__", None)
    if spec and spec.has_location and spec.origin.endswith(".py"):
        if not __import__("os").path.exists(spec.cached):
            print(name)
"""
SNDFILE = """
import ctypes
library = ctypes.CDLL("libsndfile.so.1")
library.sf_version_string.restype = ctypes.c_char_p
print(library.sf_version_string().decode())
"""


def stdout_of(finished: Finished) -> str:
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Image]]:
    if os.geteuid() != 0:
        pytest.skip("building and running images needs root")
    subprocess.run([ROOT / "hack/images", *TAGS], check=True)
    with (
        built_image(TAGS["operator"], tmp_path_factory.mktemp("operator")) as operator,
        built_image(TAGS["worker"], tmp_path_factory.mktemp("worker")) as worker,
    ):
        yield {"operator": operator, "worker": worker}


@pytest.fixture(params=TAGS)
def image(request: pytest.FixtureRequest, images: dict[str, Image]) -> Image:
    return images[request.param]


@pytest.fixture
def worker(images: dict[str, Image]) -> Image:
    return images["worker"]


@pytest.fixture(scope="module")
def with_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    if os.geteuid() != 0:
        pytest.skip("building and running images needs root")
    subprocess.run([ROOT / "hack/images", "worker-model"], check=True)
    with built_image("localhost/tts-worker:dev-model", tmp_path_factory.mktemp("model")) as image:
        yield image


def test_an_image_with_a_model_speaks_it_without_settings(with_model: Image) -> None:
    assert with_model.config["User"] == "65532:65532"
    assert json.loads(stdout_of(with_model.run("cat", IMAGE_CONFIG))) == {
        "engine": "hibari",
        "model_dir": f"{IMAGE_MODELS}/hibari",
    }
    checks = json.loads(stdout_of(with_model.run("python", "-m", "ttsworker", "check", "--json")))["checks"]
    messages = {check["name"]: check["message"] for check in checks}
    assert messages["model"].startswith(f"{IMAGE_MODELS}/hibari is complete")
    assert messages["engine"].startswith("hibari runs on the cpu")
    assert stdout_of(with_model.run("sh", "-c", "ls -A /tmp /mnt /opt /opt/ttsworker/models")) == (
        "/mnt:\n\n/opt:\nttsworker\nvenv\n\n/opt/ttsworker/models:\nhibari\n\n/tmp:"
    )


def test_it_runs_as_a_numbered_user_that_is_not_root(image: Image) -> None:
    assert image.config["User"] == "65532:65532"
    assert stdout_of(image.run("id", "-u")) == "65532"
    # Libraries ask for the user's name and home; both are there.
    assert (
        stdout_of(image.run("python", "-c", "import getpass, pathlib; print(getpass.getuser(), pathlib.Path.home())"))
        == "tts /tmp"
    )


def test_only_tmp_can_be_written(image: Image) -> None:
    assert stdout_of(image.run("python", "-c", WRITABLE)) == ""


def test_nothing_in_it_compiles_or_installs(image: Image) -> None:
    assert stdout_of(image.run("python", "-c", FORBIDDEN)) == ""


@pytest.mark.parametrize(
    ("name", "modules"),
    [("operator", ["ttsoperator"]), ("worker", ["ttsworker", "ttsworker.fetch"])],
)
def test_its_programs_answer_help(images: dict[str, Image], name: str, modules: list[str]) -> None:
    assert images[name].config["Entrypoint"] == ["python", "-m", modules[0]]
    assert "PYTHONSAFEPATH=1" in images[name].config["Env"]  # no program finds modules in its working folder
    for module in modules:
        assert "usage" in stdout_of(images[name].run("python", "-m", module, "--help")).lower()


@pytest.mark.parametrize(
    ("name", "module"), [("operator", "ttsoperator.watch.handlers"), ("worker", "ttsworker.http.app")]
)
def test_a_start_compiles_nothing(images: dict[str, Image], name: str, module: str) -> None:
    assert stdout_of(images[name].run("python", "-c", NOT_COMPILED, module)) == ""


def test_each_has_its_own_package_only(images: dict[str, Image]) -> None:
    for name, other in (("operator", "ttsworker"), ("worker", "ttsoperator")):
        found = images[name].run("python", "-c", f"import {other}")
        assert "No module named" in found.stderr


def test_labels_name_title_version_and_licences(images: dict[str, Image]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for name, image in images.items():
        labels = image.config["Labels"]
        assert labels["org.opencontainers.image.title"] == f"tts-{name}"
        assert labels["org.opencontainers.image.version"] == version
        assert labels["org.opencontainers.image.licenses"].startswith("Apache-2.0")
        assert "GPL-3.0-or-later" in stdout_of(image.run("cat", "/usr/share/doc/tts-operator/THIRD_PARTY.md"))
    assert "GPL-3.0-or-later" in images["worker"].config["Labels"]["org.opencontainers.image.licenses"]


def test_the_building_machine_leaves_no_trace(image: Image) -> None:
    names = {variable.split("=", 1)[0] for variable in image.config["Env"]}
    assert names <= {"PATH", "HOME", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONSAFEPATH"}
    assert stdout_of(
        image.run("sh", "-c", "ls -A /mnt /media /run /src /locks /root/.cache /opt 2>/dev/null; true")
    ) == ("/media:\n\n/mnt:\n\n/opt:\nvenv\n\n/run:\nlock")
    packages = stdout_of(image.run("sh", "-c", "cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null; true"))
    assert set(re.findall(r"://([^/ ]+)", packages)) == {"deb.debian.org"}


def test_the_worker_speaks_phonemes(worker: Image) -> None:
    assert stdout_of(worker.run("espeak-ng", "-q", "-x", "-v", "en-us", "hello")) == "h@l'oU"


@pytest.mark.parametrize("codec", ["libmp3lame", "libopus", "aac", "flac", "pcm_s16le"])
def test_the_worker_encodes_audio(worker: Image, codec: str) -> None:
    done = worker.run(
        *("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1:sample_rate=48000"),
        *("-c:a", codec, "-f", "matroska", "/tmp/tone.mkv"),
    )
    assert stdout_of(done) == ""


def test_the_worker_has_libsndfile(worker: Image) -> None:
    assert stdout_of(worker.run("python", "-c", SNDFILE)).startswith("libsndfile-1.")


def test_certificates_of_the_usual_authorities_are_there(image: Image) -> None:
    count = "import ssl; print(ssl.create_default_context().cert_store_stats()['x509_ca'])"
    assert int(stdout_of(image.run("python", "-c", count))) > 100
