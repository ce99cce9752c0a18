"""What the command lines of the download share; it imports nothing slow."""

import re
from typing import Final

import typer

EXIT_FAILED: Final = 1
EXIT_MISUSE: Final = 2
EXIT_UNREACHABLE: Final = 75
"""EX_TEMPFAIL of sysexits.h: the same command may succeed later."""

ATTEMPTS: Final = 6
"""Attempts in a row without new bytes after which the source counts as unreachable."""


def sha256_of(text: str) -> str:
    """Return a SHA-256 in lower case; raises BadParameter for what is none."""
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise typer.BadParameter("must be 64 hexadecimal digits")
    return text.lower()
