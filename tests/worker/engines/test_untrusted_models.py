"""Models that want more than to speak: nothing of theirs is run, nothing outside their folder is read or asked."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.badserver import BadServer, serving
from ttsworker.engines import Engine, EngineOptions, ModelInvalid, find_engine
from ttsworker.engines.coqui.engine import find_checkpoint
from ttsworker.engines.hibari.engine import embedded_voice

# torch and Coqui warn about themselves when they are imported and when they load a checkpoint.
pytestmark = pytest.mark.filterwarnings("ignore::Warning")


# Coqui's real code, with a voice that it loads.


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.support.worker import tiny_vits  # noqa: PLC0415 - imports torch, which takes seconds

    folder = tmp_path_factory.mktemp("coqui")
    tiny_vits.write(folder, ("anna", "ben"))
    return folder


@pytest.fixture
def model(voice: Path, tmp_path: Path) -> Path:
    for path in voice.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


@pytest.fixture
def server() -> Iterator[BadServer]:
    with serving(BadServer(b"{}")) as running:
        yield running


def change(folder: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    options = json.loads((folder / "config.json").read_text())
    edit(options)
    (folder / "config.json").write_text(json.dumps(options))


def load(folder: Path, engine: str = "coqui") -> Engine:
    loaded = find_engine(engine)(EngineOptions(folder))
    loaded.load()
    return loaded


class Evil:
    """A pickle that leaves a file when it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


def test_the_voice_itself_loads(model: Path) -> None:
    assert [voice.name for voice in load(model).voices] == ["anna", "ben"]


def test_code_beside_a_model_is_not_run(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = model / "run"
    (model / "evil_code.py").write_text(f"import os\nos.mkdir({str(mark)!r})\nclass Class: pass\n")
    monkeypatch.syspath_prepend(str(model))
    change(model, lambda options: options["characters"].update(characters_class="evil_code.Class"))
    with pytest.raises(ModelInvalid, match="evil_code"):
        load(model)
    assert not mark.exists()


@pytest.mark.parametrize("name", ["speakers_file", "d_vector_file", "language_ids_file"])
def test_no_connection_is_made_while_a_model_is_loaded(model: Path, server: BadServer, name: str) -> None:
    def edit(options: dict[str, Any]) -> None:
        url = f"{server.url}/speakers.pth"
        options[name] = options["model_args"][name] = [url] if name == "d_vector_file" else url
        options["model_args"] |= {"use_d_vector_file": True, "use_language_embedding": True}

    change(model, edit)
    with pytest.raises(ModelInvalid, match="it must be a file of the model's folder"):
        load(model)
    assert server.requests == []


@pytest.mark.parametrize("name", ["model_file.pth", "speakers.pth"])
@pytest.mark.parametrize("form", ["torch", "pickle"])
def test_a_pickle_with_code_is_not_run(model: Path, name: str, form: str) -> None:
    import torch  # noqa: PLC0415 - takes seconds

    evil = {"model": Evil(model / "run")}
    if form == "torch":
        torch.save(evil, model / name)
    else:
        (model / name).write_bytes(pickle.dumps(evil))
    with pytest.raises(ModelInvalid, match="Coqui cannot load"):
        load(model)
    assert not (model / "run").exists()


def test_statistics_with_code_are_not_read(model: Path) -> None:
    import numpy as np  # noqa: PLC0415 - beside its use

    np.save(model / "scale_stats.npy", np.array(Evil(model / "run"), object), allow_pickle=True)

    def edit(options: dict[str, Any]) -> None:
        options["audio"] |= {"stats_path": str(model / "scale_stats.npy"), "signal_norm": True}

    change(model, edit)
    load(model)
    assert not (model / "run").exists()


def test_modules_in_the_working_folder_are_not_the_programs(tmp_path: Path) -> None:
    for name in ("typer", "numpy", "yaml"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('code of the working folder')\n")
    ended = subprocess.run(
        [sys.executable, "-m", "ttsworker", "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


# ONNX: hibari's voices.


def varint(number: int, padding: int = 0) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number]) if not padding else bytes([*found, number | 128, *[128] * (padding - 1), 0])


def message(number: int, content: bytes, padding: int = 0) -> bytes:
    return varint(number << 3 | 2, padding) + varint(len(content), padding) + content


def with_external_weights(place: str, padding: int = 0) -> bytes:
    """Return the embedded voice with one weight more, which is in another file; protobuf joins the two graphs."""
    entry = message(1, b"location", padding) + message(2, place.encode())
    weight = b"\x08\x04\x10\x01" + message(8, b"stolen") + message(13, entry) + b"\x70\x01"
    return embedded_voice().read_bytes() + message(7, message(5, weight))


@pytest.mark.parametrize("place", ["/etc/passwd", "../../etc/passwd", "beside.bin", "/proc/self/environ"])
@pytest.mark.parametrize("padding", [0, 1, 3])
def test_a_voice_that_reads_other_files_is_refused(tmp_path: Path, place: str, padding: int) -> None:
    (tmp_path / "beside.bin").write_bytes(bytes(16))
    (tmp_path / "voice.onnx").write_bytes(with_external_weights(place, padding))
    with pytest.raises(ModelInvalid, match=r"voice\.onnx keeps data in other files"):
        load(tmp_path, "hibari")


@pytest.mark.parametrize("content", [b"", b"location", b"\x0a\x08"])
def test_what_is_no_voice_at_all_is_refused_as_before(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "voice.onnx").write_bytes(content)
    with pytest.raises(ModelInvalid, match="is not an ONNX model"):
        load(tmp_path, "hibari")


def test_an_honest_voice_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "mine.onnx").write_bytes(embedded_voice().read_bytes())
    assert [voice.name for voice in load(tmp_path, "hibari").voices] == ["mine"]


def a_pipe(path: Path) -> None:
    """Reading it waits for ever."""
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


SPECIAL: list[Callable[[Path], None]] = [a_pipe, endless, Path.mkdir]


@pytest.mark.parametrize("make", SPECIAL)
def test_what_is_no_file_is_not_opened(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "a.onnx")
    make(tmp_path / "config.json")
    with pytest.raises(ModelInvalid, match=r"there is no \*\.onnx file"):
        load(tmp_path, "hibari")
    with pytest.raises(ModelInvalid, match=r"there is no config\.json"):
        find_checkpoint(tmp_path)
    (tmp_path / "mine.onnx").write_bytes(embedded_voice().read_bytes())
    assert [voice.name for voice in load(tmp_path, "hibari").voices] == ["mine"]
