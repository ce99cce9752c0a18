"""What a source of models is. A kind of source is one class and one line in `job.SOURCES`."""

from dataclasses import dataclass
from typing import Protocol

from ttsworker.fetch.progress import Progress
from ttsworker.fetch.workspace import Workspace


@dataclass(frozen=True)
class Request:
    """The model that is asked for.

    `sha256` is the lower-case hex digest of what is downloaded. `max_bytes` bounds the download and what is unpacked
    from it. `attempts` is how often in a row a try may bring nothing before the source counts as unreachable, with
    waits that start at `backoff_seconds` and double up to 30 s.
    """

    source: str
    sha256: str | None = None
    max_bytes: int | None = None
    attempts: int = 6
    backoff_seconds: float = 1.0


class Source(Protocol):
    """Where a model comes from."""

    def fetch_tree(self, workspace: Workspace, progress: Progress) -> None:
        """Leave the whole, checked model in the folder `workspace.tree`, continuing what an earlier run began.

        Raises FetchError.
        """
