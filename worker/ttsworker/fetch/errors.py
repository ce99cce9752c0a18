"""How a download ends: the reasons of the Job's termination message."""

from enum import StrEnum


class Reason(StrEnum):
    """The `reason` of the termination message; docs/models.md says what each means and what to do."""

    PUBLISHED = "Published"
    ALREADY_PRESENT = "AlreadyPresent"

    SOURCE_NOT_FOUND = "SourceNotFound"
    SOURCE_FORBIDDEN = "SourceForbidden"
    SOURCE_UNREACHABLE = "SourceUnreachable"
    SOURCE_INVALID = "SourceInvalid"
    CHECKSUM_MISMATCH = "ChecksumMismatch"
    ARCHIVE_INVALID = "ArchiveInvalid"
    DISK_FULL = "DiskFull"
    STORAGE_UNUSABLE = "StorageUnusable"
    INTERRUPTED = "Interrupted"
    INTERNAL_ERROR = "InternalError"


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
