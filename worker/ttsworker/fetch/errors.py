"""How a download fails."""

from ttscontract.reasons import Reason


class FetchError(Exception):
    """The model cannot be had; the message says in one line why and what to do."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class TransientError(FetchError):
    """The source cannot be reached at the moment; trying again may help, after `retry_after` seconds if it said so."""

    def __init__(self, message: str, *, retry_after: float = 0) -> None:
        super().__init__(Reason.SOURCE_UNREACHABLE, message)
        self.retry_after = retry_after
