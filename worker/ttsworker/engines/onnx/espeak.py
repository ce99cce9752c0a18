"""The program espeak-ng, which turns texts into phonemes (IPA).

It is under the GPL, so it runs as a program of its own, one process for each call, and is never linked. It gets the
text on its standard input, line by line, and no word of a client on its command line.
"""

import re
import subprocess
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from ttsworker.engines.errors import EngineUnavailable, ModelInvalid, Unspeakable
from ttsworker.text import cut

PROGRAM = "espeak-ng"

TIMEOUT_SECONDS = 20.0
"""For one call, which takes 10 ms or so."""

MAX_LINE = 240
"""Characters: the program reads 999 bytes of a line at once."""

MOST_TEXTS = 1024
"""In one call."""

_END = re.compile("[mn]{10}")
"""The line that ends those of a text: its number, in phonemes of the program that every language prints as they are."""

_RUN = re.compile(r"\S{21,}")
_WORD = re.compile(r"[^\s.'\u2019]{1,20}")
"""What the program certainly reads. Release 1.51 dies of some long runs without a space, such as `A.A.A.` and so on."""

_VOICE = re.compile(r"[A-Za-z]{2,8}([-+][A-Za-z0-9]{1,12})*", re.ASCII)
"""What a voice is called; it excludes options and paths."""

_LANGUAGE_SWITCH = re.compile(r"\([^()]*\)")
"""`(en)` and `(fr)` around a word that is read by another language's rules."""


class Espeak:
    """The program with one of its voices, which is a language and an accent."""

    def __init__(self, voice: str) -> None:
        if not _VOICE.fullmatch(voice):
            raise ModelInvalid(f"{voice[:40]!r} is no voice of espeak-ng: its name has letters, digits, - and +")
        self._voice = voice

    def check(self) -> None:
        """Raise EngineUnavailable where there is no such program, and ModelInvalid where it lacks the voice."""
        result = self._run("a\n")
        if result.returncode:
            reason = (result.stderr.strip().splitlines() or ["no reason"])[-1]
            raise ModelInvalid(f"espeak-ng cannot read texts with the voice {self._voice!r} of the model: {reason}")

    def read(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the phonemes of each text, clause by clause as the program divides it. Raises Unspeakable."""
        if len(texts) > MOST_TEXTS:
            raise ValueError(f"{len(texts)} texts are more than {MOST_TEXTS}")
        result = self._run(_input(texts))
        if result.returncode:
            result = self._run(_input(_RUN.sub(_with_spaces, text) for text in texts))
        if result.returncode:
            raise Unspeakable(f"espeak-ng cannot read this text; it ended with {result.returncode}")
        return _by_text(result.stdout.splitlines(), len(texts))

    def _run(self, text: str) -> "subprocess.CompletedProcess[str]":
        command = [PROGRAM, "-q", "-b", "1", "--ipa", "-v", self._voice]
        try:
            return subprocess.run(
                command, input=text, capture_output=True, check=False, timeout=TIMEOUT_SECONDS,
                encoding="utf-8", errors="replace",
            )  # fmt: skip
        except OSError as error:
            raise EngineUnavailable(missing(error)) from error
        except subprocess.TimeoutExpired as error:
            raise Unspeakable(f"espeak-ng did not read this text within {TIMEOUT_SECONDS:g} s") from error


def version() -> str:
    """Return the program's version. Raises EngineUnavailable."""
    try:
        result = subprocess.run(
            [PROGRAM, "--version"], capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineUnavailable(missing(error)) from error
    found = re.search(r"\d+(?:\.\d+)+(?:-\w+)?", result.stdout)
    return found[0] if found else "unknown"


def missing(error: Exception) -> str:
    """Say what to do about a program that does not start."""
    reason = getattr(error, "strerror", None) or str(error)
    return f"the voice needs the program espeak-ng, which does not start ({reason}): install it and put it on PATH"


def _input(texts: Iterable[str]) -> str:
    lines = chain.from_iterable((*_lines(text), f"[[{_numbered(at)}]]") for at, text in enumerate(texts))
    return "".join(f"{line}\n" for line in lines)


def _lines(text: str) -> Iterator[str]:
    """Yield the text in lines that the program reads as text: no commands, and no phonemes in double brackets."""
    plain = "".join(" " if unicodedata.category(each) in {"Cc", "Cs", "Zl", "Zp"} else each for each in text)
    yield from cut(plain.replace("[[", "[ ["), MAX_LINE)


def _with_spaces(run: re.Match[str]) -> str:
    return " ".join(_WORD.findall(run[0]))


def _numbered(number: int) -> str:
    return f"{number:010b}".translate({ord("0"): "m", ord("1"): "n"})


def _by_text(lines: Iterable[str], texts: int) -> list[list[str]]:
    """Share the lines out to the texts. In some languages the program repeats the end of a text, or leaves one out."""
    ends = {_numbered(number): number for number in range(texts)}
    read: list[list[str]] = [[] for _ in range(texts)]
    clauses: list[str] = []
    for line in lines:
        phonemes = " ".join(_LANGUAGE_SWITCH.sub("", line).split())
        if (number := ends.pop(phonemes, None)) is not None:
            read[number], clauses = clauses, []
        elif phonemes and not _END.fullmatch(phonemes):
            clauses.append(phonemes)
    return read
