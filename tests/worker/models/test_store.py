"""The manifest tells every way in which a model folder can differ from what was published."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from ttscontract.model_folder import MANIFEST_NAME
from ttsworker.engines import ModelError
from ttsworker.models.store import (
    ModelCorrupt,
    ModelMissing,
    build_manifest,
    verify_model,
    write_manifest,
)

FILES = {"model.pth": b"weights", "voices/en.bin": b"voice", "voices/empty": b"", "Ähre": b"utf-8"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "m-1"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    write_manifest(folder, build_manifest(folder, source="https://host/model.tar", sha256="ab" * 32))
    return folder


def test_an_intact_model_gives_its_manifest(model: Path) -> None:
    manifest = verify_model(model)
    assert (manifest.source, manifest.sha256) == ("https://host/model.tar", "ab" * 32)
    assert manifest.bytes == sum(map(len, FILES.values()))
    assert {file.path: (file.size, file.sha256) for file in manifest.files} == {
        name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in FILES.items()
    }


def test_the_digest_is_what_sha256sum_says(model: Path) -> None:
    command = (
        f"find . -type f ! -path ./{MANIFEST_NAME} -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
    )
    said = subprocess.run(["bash", "-c", command], cwd=model, capture_output=True, text=True, check=True).stdout
    assert verify_model(model).digest == "sha256:" + said.split()[0]


def test_the_file_is_the_contract_between_the_job_and_the_worker(model: Path) -> None:
    content = json.loads((model / MANIFEST_NAME).read_text())
    assert content.keys() == {"source", "sha256", "digest", "bytes", "files"}
    assert content["files"][0].keys() == {"path", "size", "sha256"}


def test_the_digest_depends_on_names_and_contents_only(model: Path, tmp_path: Path) -> None:
    first = verify_model(model).digest
    copy = shutil.copytree(model, tmp_path / "copy")
    assert build_manifest(copy, source="https://elsewhere/x").digest == first
    (copy / "model.pth").rename(copy / "model2.pth")
    assert build_manifest(copy, source="https://elsewhere/x").digest != first


def change_size(model: Path) -> None:
    (model / "model.pth").write_bytes(b"weights and more")


def change_content(model: Path) -> None:
    (model / "model.pth").write_bytes(b"Weights")


def remove_file(model: Path) -> None:
    (model / "voices/en.bin").unlink()


def add_file(model: Path) -> None:
    (model / "voices/extra").write_bytes(b"")


def put_a_link(model: Path) -> None:
    (model / "model.pth").rename(model.parent / "model.pth")
    (model / "model.pth").symlink_to(model.parent / "model.pth")


def put_a_folder_link(model: Path) -> None:
    (model / "voices").rename(model.parent / "voices")
    (model / "voices").symlink_to(model.parent / "voices")


def put_a_folder(model: Path) -> None:
    (model / "model.pth").unlink()
    (model / "model.pth").mkdir()


def cut_manifest(model: Path) -> None:
    text = (model / MANIFEST_NAME).read_text()
    (model / MANIFEST_NAME).write_text(text[: len(text) // 2])


def edit_manifest(model: Path) -> None:
    content = json.loads((model / MANIFEST_NAME).read_text())
    content["files"] = content["files"][1:]
    (model / MANIFEST_NAME).write_text(json.dumps(content))


def lead_out(model: Path) -> None:
    outside = replace(build_manifest(model, source="x").files[0], path="../outside")
    (model.parent / "outside").write_bytes((model / "model.pth").read_bytes())
    manifest = verify_model(model)
    (model / MANIFEST_NAME).write_text(json.dumps(asdict(replace(manifest, files=(*manifest.files, outside)))))


@pytest.mark.parametrize(
    "damage",
    [
        change_size,
        change_content,
        remove_file,
        add_file,
        put_a_link,
        put_a_folder_link,
        put_a_folder,
        cut_manifest,
        edit_manifest,
        lead_out,
    ],
)
def test_any_difference_is_found_and_told_in_one_line(model: Path, damage: Callable[[Path], None]) -> None:
    damage(model)
    with pytest.raises(ModelCorrupt) as caught:
        verify_model(model)
    assert caught.value.reason == "ModelCorrupt"
    assert str(model) in str(caught.value)
    assert "delete the download Job so that it is downloaded again" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("how", ["no folder", "no manifest", "a file"])
def test_a_missing_model_says_so(model: Path, how: str) -> None:
    if how == "no manifest":
        (model / MANIFEST_NAME).unlink()
    else:
        shutil.rmtree(model)
    if how == "a file":
        model.write_bytes(b"")
    with pytest.raises(ModelMissing) as caught:
        verify_model(model)
    assert caught.value.reason == "ModelMissing"
    assert isinstance(caught.value, ModelError)
    assert "download Job" in str(caught.value)
