"""The report of a benchmark: rows with a figure and its reference."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One line of the table; `against` names the reference of the ratio."""

    what: str
    value: float
    unit: str
    against: str = ""
    reference: float | None = None

    @property
    def ratio(self) -> float | None:
        """Value over reference."""
        return self.value / self.reference if self.reference else None


def say(text: str) -> None:
    """Print progress to standard error."""
    print(f"==> {text}", file=sys.stderr, flush=True)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| | measured | against | ratio |", "|---|---|---|---|"]
    for row in rows:
        reference = f"{row.reference:.3g} {row.unit} ({row.against})" if row.reference is not None else ""
        ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
        lines.append(f"| {row.what} | {row.value:.3g} {row.unit} | {reference} | {ratio} |")
    return "\n".join(lines)


def write_results(path: Path, rows: Sequence[Row], **about: object) -> None:
    """Write the rows as JSON, with the machine and the facts in `about`."""
    machine = {"cpus": os.cpu_count(), "memoryBytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")}
    document = {"machine": machine, **about, "rows": [{**asdict(row), "ratio": row.ratio} for row in rows]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")
