"""The syntax of a file of API keys: pure. Only digests leave this module, and no message shows a key.

A line is `NAME sha256:HEX`, or `NAME KEY` with the key itself. `rate=N` (requests a second, 0 is no limit), `burst=N`
and `concurrent=N` (requests at once in one worker, 0 is no limit) may follow; the settings have the defaults. `#`
begins a comment. Two keys may have the same name, so that a client can rotate its key.

A key itself has at least MIN_KEY_LENGTH characters, so that nobody can guess it. Of a digest nobody can tell.
"""

import hashlib
import re
from dataclasses import dataclass

from ttscontract.worker_config import MAX_BURST, MAX_RATE, MIN_RATE

_NAME = re.compile(r"[\w.@:-]{1,64}", re.ASCII)
_HASHED = re.compile(r"sha256:([0-9a-fA-F]{64})")
_PLAIN = re.compile(r"[!-~]{1,512}")

MIN_KEY_LENGTH = 16
"""64 bits even of a key of hexadecimal digits."""

_COMMENT = re.compile(r"(?:^|\s)#.*")


class InvalidKeys(Exception):
    """The keys are invalid; the message names the line and the mistake, and never shows a key."""


@dataclass(frozen=True)
class Key:
    """A client's key. None as `rate`, `burst` or `concurrent` means the default; 0 is no limit."""

    name: str
    digest: bytes
    rate: float | None = None
    burst: int | None = None
    concurrent: int | None = None


def digest_of(key: bytes) -> bytes:
    """Return the digest that memory holds instead of a key. Keys are long and random, so a fast hash is enough."""
    return hashlib.sha256(key).digest()


def parse_keys(content: bytes) -> tuple[Key, ...]:
    """Parse the file's content; raises InvalidKeys."""
    try:
        lines = content.decode().splitlines()
    except UnicodeDecodeError as error:
        raise InvalidKeys("it is not UTF-8 text") from error
    keys: dict[bytes, Key] = {}
    for number, line in enumerate(lines, start=1):
        words = _COMMENT.sub("", line).split()
        if not words:
            continue
        try:
            key = _parse_line(words)
        except ValueError as error:
            raise InvalidKeys(f"line {number}: {error}") from None  # the cause may quote the key
        if key.digest in keys:
            raise InvalidKeys(f"line {number}: {key.name} has the same key as {keys[key.digest].name}")
        keys[key.digest] = key
    if not keys:
        raise InvalidKeys(
            "it contains no key, so every request would be refused: remove the setting to serve without keys"
        )
    return tuple(keys.values())


def _parse_line(words: list[str]) -> Key:
    if not _NAME.fullmatch(words[0]):
        raise ValueError("a name has up to 64 letters, digits and . _ @ : - only, and comes first")
    if len(words) < 2:
        raise ValueError("it needs a name and a key: NAME sha256:HEX")
    options: dict[str, str] = {}
    for word in words[2:]:
        name, equals, value = word.partition("=")
        if not equals or name not in {"rate", "burst", "concurrent"} or name in options:
            raise ValueError("only rate=N, burst=N and concurrent=N may follow the key, each once")
        options[name] = value
    return Key(
        words[0],
        _digest(words[1]),
        _rate(options.get("rate")),
        _whole_number("burst", options.get("burst"), least=1),
        _whole_number("concurrent", options.get("concurrent"), least=0),
    )


def _digest(word: str) -> bytes:
    if hashed := _HASHED.fullmatch(word):
        return bytes.fromhex(hashed[1])
    if word.startswith("sha256:"):
        raise ValueError("sha256: needs 64 hexadecimal digits")
    if not _PLAIN.fullmatch(word):
        raise ValueError("a key has up to 512 printable ASCII characters and no space")
    if len(word) < MIN_KEY_LENGTH:
        raise ValueError(f"a key needs {MIN_KEY_LENGTH} characters or more: make one with openssl rand -hex 32")
    return digest_of(word.encode())


def _rate(text: str | None) -> float | None:
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII):
        raise ValueError("rate= needs requests a second, such as 5 or 0.5")
    rate = float(text)
    if rate and not MIN_RATE <= rate <= MAX_RATE:
        raise ValueError(f"rate= is 0 for no limit, or {MIN_RATE:g} to {MAX_RATE:g}")
    return rate


def _whole_number(name: str, text: str | None, *, least: int) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not least <= int(text) <= MAX_BURST:
        raise ValueError(f"{name}= needs a whole number from {least} to {MAX_BURST}")
    return int(text)
