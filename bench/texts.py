"""Texts to speak: sentences of everyday words without repetitions, so that a cache never replaces the engine."""

from __future__ import annotations

import random

_WORDS = tuple(
    """
the a my our every this one old new small long cold bright quiet early late first last good green
train city morning message wind field bread apple library evening light brother piano night home water lake box ship
harbor dog kitchen door doctor minute tomorrow child castle sand ticket journey bird garden dawn letter mother coffee
sugar river bridge window street table summer winter mountain market paper story music question answer teacher
leaves brings opens closes follows crosses finds carries watches builds keeps writes sings tells reaches turns waits
before after under over beside behind through with without into from near slowly again always never often today
""".split()  # noqa: SIM905 - read more easily than a list
)


def sentence(chooser: random.Random, words: int) -> str:
    """Return a sentence of so many words; it need not make sense."""
    chosen = " ".join(chooser.choice(_WORDS) for _ in range(words))
    return chosen.capitalize() + "."


def sentences(count: int, seed: int, *, least: int = 4, most: int = 12) -> list[str]:
    """Different sentences of `least` to `most` words; the same ones for the same seed."""
    chooser = random.Random(seed)  # noqa: S311 - a fixed choice is what is wanted
    found: dict[str, None] = {}
    while len(found) < count:
        found[sentence(chooser, chooser.randint(least, most))] = None
    return list(found)


def texts(count: int, seed: int, *, longest: int) -> list[str]:
    """Different texts of one to `longest` sentences."""
    chooser = random.Random(seed)  # noqa: S311 - a fixed choice is what is wanted
    lengths = [chooser.randint(1, longest) for _ in range(count)]
    supply = iter(sentences(sum(lengths), seed))
    return [" ".join(next(supply) for _ in range(length)) for length in lengths]
