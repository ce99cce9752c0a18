"""Only a complete build counts as built."""

import json
from pathlib import Path

import pytest

from devcluster import build


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A folder of programs as a finished build leaves it."""
    sizes = {}
    for name in ("kubernetes", "ctr"):
        (tmp_path / name).write_bytes(name.encode() * 100)
        sizes[name] = (tmp_path / name).stat().st_size
    (tmp_path / "manifest.json").write_text(json.dumps(sizes))
    return tmp_path


def test_a_finished_build_is_whole(published: Path) -> None:
    assert build.is_whole(published)


def test_a_program_that_lost_its_end_is_not_whole(published: Path) -> None:
    with (published / "ctr").open("r+b") as file:
        file.truncate(10)
    assert not build.is_whole(published)


def test_a_missing_program_is_not_whole(published: Path) -> None:
    (published / "ctr").unlink()
    assert not build.is_whole(published)


@pytest.mark.parametrize("manifest", ["", "{", "{}", "[]"])
def test_a_broken_manifest_is_not_whole(published: Path, manifest: str) -> None:
    (published / "manifest.json").write_text(manifest)
    assert not build.is_whole(published)


def test_a_folder_that_is_not_there_is_not_whole(tmp_path: Path) -> None:
    assert not build.is_whole(tmp_path / "none")


def test_the_key_follows_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "SOURCES", tmp_path)
    (tmp_path / "go").mkdir()
    (tmp_path / "go" / "main.go").write_text("package main")
    first = build.source_key()
    assert build.source_key() == first
    (tmp_path / "go" / "main.go").write_text("package main // changed")
    assert build.source_key() != first
