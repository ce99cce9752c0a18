"""THIRD_PARTY.md names every Python package of the images whose licence is not permissive."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("operator", "worker", "worker-coqui")
PERMISSIVE = re.compile(
    r"^(MIT|BSD|0BSD|Apache|ISC|PSF|Python|Unlicense|Zlib|HPND|3-Clause BSD|Historical Permission|Dual License)"
)
NOT_PERMISSIVE = re.compile(r"\b([AL]?GPL|MPL|EPL|CDDL|Mozilla|Proprietary|General Public)\b|\b[AL]?GPL-")


def locked(lock: str) -> Iterator[str]:
    for line in (ROOT / f"locks/{lock}.txt").read_text().splitlines():
        if found := re.match(r"([A-Za-z0-9_.-]+)==", line):
            yield found[1]


def licence(package: Distribution) -> str:
    """As its metadata has it: an SPDX expression, else classifiers, else free text."""
    if expression := package.metadata.json.get("license_expression"):
        return str(expression)
    classified = [
        c.rsplit(" :: ", 1)[1] for c in package.metadata.get_all("Classifier") or [] if c.startswith("License ::")
    ]
    return "; ".join(c for c in classified if c != "OSI Approved") or str(
        package.metadata.json.get("license", "unknown")
    )


def is_permissive(terms: str) -> bool:
    return bool(PERMISSIVE.match(terms)) and not NOT_PERMISSIVE.search(terms)


def named() -> list[str]:
    """First cells of the table of packages; a star stands for anything."""
    table = (ROOT / "THIRD_PARTY.md").read_text().split("## Python packages")[1].split("\n## ")[0]
    cells = re.findall(r"^\| ([^|]+?) \|", table, re.MULTILINE)
    return [name.strip() for cell in cells for name in cell.split(",")]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_that_is_not_permissive_is_named(lock: str) -> None:
    patterns = named()
    unnamed = {}
    for name in locked(lock):
        try:
            terms = licence(distribution(name))
        except PackageNotFoundError:
            continue  # of another platform
        if not is_permissive(terms) and not any(fnmatchcase(name, pattern) for pattern in patterns):
            unnamed[name] = terms
    assert unnamed == {}
