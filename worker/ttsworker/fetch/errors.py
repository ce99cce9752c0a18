"""How a download fails."""

from ttscontract.log_line import escaped
from ttscontract.reasons import Reason


class FetchError(Exception):
    """The download failed; the one-line message says why and what to do.

    The message may quote a server or an archive: control characters are escaped.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(escaped(message))
        self.reason = reason


def archive_invalid(why: str) -> FetchError:
    """Return the error for an archive that no retry can fix."""
    return FetchError(Reason.ARCHIVE_INVALID, f"the archive cannot be used: {why}")


class TransientError(FetchError):
    """The source is unreachable; a retry may succeed, after `retry_after` seconds if the source asked for a wait."""

    def __init__(self, message: str, *, retry_after: float = 0) -> None:
        super().__init__(Reason.SOURCE_UNREACHABLE, message)
        self.retry_after = retry_after
