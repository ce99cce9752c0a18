"""The whole download: unless the model is already published, fetch it, publish it, and clean up."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ttscontract.model_folder import ModelManifest
from ttscontract.reasons import Reason
from ttsworker.fetch.builtin import BuiltinSource
from ttsworker.fetch.errors import FetchError
from ttsworker.fetch.http import HttpSource
from ttsworker.fetch.progress import Progress
from ttsworker.fetch.publish import publish
from ttsworker.fetch.sources import Request, Source
from ttsworker.fetch.workspace import Workspace, storage_errors
from ttsworker.models import store

SOURCES: Mapping[str, Callable[[Request], Source]] = {
    "https": HttpSource,
    "http": HttpSource,
    "builtin": BuiltinSource,
}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How it succeeded, and the model that is on the volume now."""

    reason: Reason
    manifest: ModelManifest


def fetch_model(request: Request, root: Path, key: str, progress: Progress) -> Outcome:
    """Make sure that the model is published as `root`/`key`; raises FetchError."""
    source = _open_source(request)
    with storage_errors(root, request.terms):
        workspace = Workspace(root, key, request.terms)
        progress.phase = "waiting for the volume"
        with workspace.locked():
            if manifest := _present(workspace, request, progress):
                workspace.clean()
                return Outcome(Reason.ALREADY_PRESENT, manifest)
            workspace.make_partial()
            try:
                source.fetch_tree(workspace, progress)
                progress.phase = "publishing"
                manifest = publish(workspace, source=request.source, sha256=request.sha256)
            finally:
                workspace.drop_tree()
            workspace.clean()
            return Outcome(Reason.PUBLISHED, manifest)


def _open_source(request: Request) -> Source:
    scheme = request.source.split(":", 1)[0]
    if scheme not in SOURCES or "://" not in request.source:
        supported = ", ".join(f"{name}://" for name in SOURCES)
        message = f"{scheme!r} is not a supported kind of source: use one of {supported}"
        raise FetchError(Reason.SOURCE_INVALID, message)
    return SOURCES[scheme](request)


def _present(workspace: Workspace, request: Request, progress: Progress) -> ModelManifest | None:
    progress.phase = "verifying"
    try:
        manifest = store.verify_model(workspace.published)
    except store.ModelMissing:
        return None
    except store.ModelCorrupt as error:
        log.warning("downloading the model again: %s", error.difference)
        return None
    return manifest if (manifest.source, manifest.sha256) == (request.source, request.sha256) else None
