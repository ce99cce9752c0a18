"""Take a model that is part of the worker: `builtin://` and the name of an engine with an embedded voice."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from ttscontract.words import one_of
from ttsworker.fetch.progress import Progress
from ttsworker.fetch.responses import invalid
from ttsworker.fetch.sources import Request
from ttsworker.fetch.workspace import Workspace


def _hibari() -> Path:
    from ttsworker.engines.hibari.engine import embedded_voice  # noqa: PLC0415 - imports the engine, which is slow

    return embedded_voice()


FILES: Mapping[str, Callable[[], Path]] = {"builtin://hibari": _hibari}
"""The file of each built-in model of the engine catalogue."""


class BuiltinSource:
    """`builtin://hibari`: a file of the engine's package."""

    def __init__(self, request: Request) -> None:
        if request.source not in FILES:
            raise invalid(f"the worker has no such model: use {one_of(FILES)}")
        if request.sha256 is not None:
            raise invalid(f"a builtin:// model has no checksum: remove {request.terms.sha256}")
        self._file = FILES[request.source]

    def fetch_tree(self, workspace: Workspace, progress: Progress) -> None:
        """Copy the file."""
        progress.phase = "copying"
        workspace.tree.mkdir()
        shutil.copyfile(file := self._file(), workspace.tree / file.name)
