"""The protocol of model sources. Each kind of source is one class and one line in `job.SOURCES`."""

from dataclasses import dataclass
from typing import Protocol

from ttsworker.fetch.options import ATTEMPTS
from ttsworker.fetch.progress import Progress
from ttsworker.fetch.terms import TTSSERVICE, Terms
from ttsworker.fetch.workspace import Workspace


@dataclass(frozen=True)
class Request:
    """The model to download.

    `sha256` is the lower-case hex digest of the downloaded file. `max_bytes` limits the download and its unpacked
    content. After `attempts` attempts in a row without new bytes the source counts as unreachable; the waits between
    them start at `backoff_seconds` and double up to 30 s. `terms` are the words of messages.
    """

    source: str
    sha256: str | None = None
    max_bytes: int | None = None
    attempts: int = ATTEMPTS
    backoff_seconds: float = 1.0
    terms: Terms = TTSSERVICE


class Source(Protocol):
    """Where a model comes from."""

    def fetch_tree(self, workspace: Workspace, progress: Progress) -> None:
        """Put the whole, verified model into the folder `workspace.tree`; resume what an earlier run began.

        Raises FetchError.
        """
