"""What the command lines of the download share; it imports nothing slow."""

import re

import typer


def sha256_of(text: str) -> str:
    """Return a SHA-256 in lower case; raises BadParameter for what is none."""
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise typer.BadParameter("must be 64 hexadecimal digits")
    return text.lower()
