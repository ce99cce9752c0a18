"""The manifest tells every way in which a model folder can differ from what was published."""

import hashlib
import json
import logging
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from ttscontract.model_folder import IMAGE_MODELS, MANIFEST_NAME
from ttscontract.worker_config import Manager
from ttsworker.engines import ModelError
from ttsworker.models.store import (
    ModelCorrupt,
    ModelMissing,
    build_manifest,
    digest_at,
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


def test_a_user_is_told_what_a_person_without_a_cluster_can_do(model: Path) -> None:
    add_file(model)
    with pytest.raises(ModelCorrupt) as caught:
        verify_model(model, Manager.USER)
    assert str(caught.value) == (
        f"the model at {model} is damaged: voices/extra is not in its manifest; fetch it again with `ttsworker fetch`, "
        "or delete .manifest.json to load the folder as it is"
    )


def no_folder(model: Path) -> None:
    shutil.rmtree(model)


def no_manifest(model: Path) -> None:
    (model / MANIFEST_NAME).unlink()


def an_empty_folder(model: Path) -> None:
    shutil.rmtree(model)
    model.mkdir()


def a_file(model: Path) -> None:
    shutil.rmtree(model)
    model.write_bytes(b"")


@pytest.mark.parametrize("lack", [no_folder, no_manifest, an_empty_folder, a_file])
def test_a_model_that_is_missing_on_the_volume_is_downloaded_again(model: Path, lack: Callable[[Path], None]) -> None:
    lack(model)
    with pytest.raises(ModelMissing) as caught:
        verify_model(model)
    assert caught.value.reason == "ModelMissing"
    assert isinstance(caught.value, ModelError)
    assert "download Job" in str(caught.value)


@pytest.mark.parametrize(
    ("lack", "words"),
    [
        (no_folder, "the folder does not exist; check model_dir, and what is mounted there"),
        (an_empty_folder, "the folder is empty; check what is mounted there"),
        (a_file, "that is a file; set model_dir to its folder"),
    ],
)
def test_a_user_is_told_why_a_folder_has_no_model(model: Path, lack: Callable[[Path], None], words: str) -> None:
    lack(model)
    for read in (verify_model, digest_at):
        with pytest.raises(ModelMissing) as caught:
            read(model, Manager.USER)
        assert str(caught.value) == f"no model at {model}: {words}"


def test_a_model_that_the_image_was_not_built_with_needs_another_image() -> None:
    with pytest.raises(ModelMissing) as caught:
        verify_model(Path(IMAGE_MODELS, "alba"), Manager.OPERATOR)
    told = str(caught.value)
    assert told.startswith(
        "no model at /opt/ttsworker/models/alba: this image was not built with it; correct spec.image"
    )
    assert "Job" not in told


def as_copied(model: Path) -> None:
    """`docker cp`, `git clone` and `rsync` leave hidden files beside the model."""
    (model / ".git").mkdir()
    (model / ".git/HEAD").write_text("ref: main")


def as_mounted(model: Path) -> None:
    """A ConfigMap, a Secret and the cache of Hugging Face are folders of links."""
    (model / "..data").mkdir()
    (model / "model.pth").rename(model / "..data/model.pth")
    (model / "model.pth").symlink_to("..data/model.pth")


def as_linked_to_elsewhere(model: Path) -> None:
    (model / "model.pth").rename(model.parent / "blob")
    (model / "model.pth").symlink_to(model.parent / "blob")


def with_a_broken_link(model: Path) -> None:
    (model / "old.pth").symlink_to(model / "gone")


def with_a_socket(model: Path) -> None:
    os.mkfifo(model / "pipe")


def with_a_circle(model: Path) -> None:
    (model / "voices/again").symlink_to(model)


@pytest.mark.parametrize(
    "change", [as_copied, as_mounted, as_linked_to_elsewhere, with_a_broken_link, with_a_socket, with_a_circle]
)
def test_a_users_folder_needs_no_manifest(
    model: Path, change: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    no_manifest(model)
    change(model)
    caplog.set_level(logging.INFO)
    described = verify_model(model, Manager.USER)
    assert {"model.pth", "voices/en.bin", "voices/empty", "Ähre"} <= {file.path for file in described.files}
    assert described.source == ""
    assert [record.message for record in caplog.records] == [
        "the model folder has no manifest: its files are loaded unverified"
    ]
    assert digest_at(model, Manager.USER) == described.digest
    (model / "model.pth").write_bytes(b"Weights")
    assert digest_at(model, Manager.USER) != described.digest  # the cache must not mix the two models' audio


def test_a_users_folder_with_a_manifest_is_verified(model: Path) -> None:
    assert verify_model(model, Manager.USER) == verify_model(model)
    change_content(model)
    with pytest.raises(ModelCorrupt, match=r"model\.pth has changed"):
        verify_model(model, Manager.USER)
