"""Writes the tables of reasons into the docs, from the contract: `python -m tools.reasons [FOLDER]`.

The table of a name of `TABLES` replaces what is between `<!-- reasons: NAME -->` and `<!-- /reasons -->`.
"""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from ttscontract.reason import Program, Severity
from ttscontract.reasons import Reason

PAGES: Final = ("status-conditions.md", "models.md")
TABLES: Final[Mapping[str, Callable[[Reason], bool]]] = {
    "good": lambda reason: reason.severity is Severity.GOOD,
    "reconciling": lambda reason: reason.severity in {Severity.PROGRESSING, Severity.PATIENT},
    "stalled": lambda reason: reason.severity is Severity.STALLED,
    "unseen": lambda reason: reason.severity is Severity.UNSEEN,
    "download": lambda reason: reason.reported_by is Program.DOWNLOAD,
}
_BLOCK: Final = re.compile(r"(<!-- reasons: (\w+)[^>]*-->\n).*?(<!-- /reasons -->)", re.DOTALL)


def table(name: str) -> str:
    """Return one table as Markdown."""
    lines = ["| reason | meaning | what to do |", "|---|---|---|"]
    lines += [f"| `{reason}` | {reason.meaning} | {reason.action} |" for reason in Reason if TABLES[name](reason)]
    return "\n".join(line.replace("|  |", "| |") for line in lines) + "\n"


def render(page: str) -> str:
    """Return a page with its tables as they must be now."""
    return _BLOCK.sub(lambda block: f"{block[1]}{table(block[2])}{block[3]}", page)


def main(arguments: list[str]) -> None:
    """Bring the pages of a folder up to date, those of `docs` when none is named."""
    folder = Path(arguments[0] if arguments else "docs")
    for name in PAGES:
        page = folder / name
        page.write_text(render(page.read_text(encoding="utf-8")), encoding="utf-8")
        sys.stdout.write(f"{page}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
