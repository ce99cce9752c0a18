"""One line says what the machine lacks, and what to do."""

import os
from pathlib import Path

import pytest
from devcluster.terminal import Failure

from devcluster import host


def test_without_root_it_says_so_and_names_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Failure, match=r"^needs root .* sudo or point KUBECONFIG at another cluster .*$"):
        host.require_root()


def test_without_go_it_says_which_and_where_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Failure, match=r"^needs Go 1\.26 or later \(https://go\.dev/dl\)"):
        host.require_go()


def test_a_go_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "go"
    old.write_text("#!/bin/sh\necho 'go: go.mod requires go >= 1.26.6 (running go 1.19)' >&2\nexit 1\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(Failure, match=r"^this Go cannot build Kubernetes: .*requires go >= 1\.26\.6"):
        host.require_go()


def test_missing_packages_are_named_where_they_cannot_be_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(host, "_PACKAGES", {"no-such-program": "its-package"})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Failure, match=r"missing: its-package; install them"):
        host.require_tools()
