"""Draws the rows with several sizes ("..., 4 at once") as bars in an SVG, ours next to the reference."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from bench.report import Row

PANEL_WIDTH, PANEL_HEIGHT = 300, 190
COLUMNS = 2
MARGIN = 24
PLOT_HEIGHT = 100
BAR_WIDTH = 26

_SIZES = re.compile(r"(?P<name>.+), (?P<size>\d+ at once)")

_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600 } .value { font-size: 10px }
.ours { fill: #1f6feb } .reference { fill: #8c959f } .axis { stroke: #8c959f } .paper { fill: #ffffff }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .paper { fill: #0d1117 } .ours { fill: #58a6ff } }
"""


@dataclass
class Panel:
    """One figure: for each size, ours and the reference."""

    title: str
    bars: list[tuple[str, float, float]] = field(default_factory=list)


def panels(rows: Sequence[Row]) -> list[Panel]:
    """Return a panel for each figure that was measured in several sizes against a reference."""
    found: dict[str, Panel] = {}
    for row in rows:
        match = _SIZES.fullmatch(row.what)
        if match and row.reference is not None:
            title = f"{match['name']} ({row.unit})"
            found.setdefault(title, Panel(title)).bars.append((match["size"], row.value, row.reference))
    return list(found.values())


def draw(rows: Sequence[Row], ours: str, reference: str) -> str:
    """Return the chart as SVG text; without rows only its legend."""
    drawn = panels(rows)
    lines = -(-len(drawn) // COLUMNS)
    width, height = COLUMNS * PANEL_WIDTH + 2 * MARGIN, lines * PANEL_HEIGHT + 3 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(ours)} against {escape(reference)}</title><style>{_STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
        _legend(ours, "ours", MARGIN),
        _legend(reference, "reference", MARGIN + 160),
    ]
    for number, panel in enumerate(drawn):
        line, column = divmod(number, COLUMNS)
        parts.append(_panel(panel, MARGIN + column * PANEL_WIDTH, 3 * MARGIN + line * PANEL_HEIGHT))
    return "\n".join([*parts, "</svg>\n"])


def _legend(name: str, kind: str, x: int) -> str:
    return (
        f'<rect class="{kind}" x="{x}" y="16" width="12" height="12"/><text x="{x + 18}" y="26">{escape(name)}</text>'
    )


def _panel(panel: Panel, x: int, y: int) -> str:
    """Title above, bars from a base line up, the sizes' names below it."""
    largest = max(max(ours, reference) for _, ours, reference in panel.bars) or 1.0
    base = y + 24 + PLOT_HEIGHT
    step = (PANEL_WIDTH - MARGIN) / len(panel.bars)
    parts = [f'<text class="title" x="{x}" y="{y}">{escape(panel.title)}</text>']
    for number, (size, *values) in enumerate(panel.bars):
        middle = x + step * (number + 0.5)
        for kind, value, left in zip(("ours", "reference"), values, (middle - BAR_WIDTH - 2, middle + 2), strict=True):
            height = PLOT_HEIGHT * value / largest
            box = f'x="{left:.1f}" y="{base - height:.1f}" width="{BAR_WIDTH}" height="{height:.1f}"'
            label = f'x="{left + BAR_WIDTH / 2:.1f}" y="{base - height - 4:.1f}" text-anchor="middle"'
            parts.append(f'<rect class="{kind}" {box}/><text class="value" {label}>{value:.3g}</text>')
        parts.append(f'<text x="{middle:.1f}" y="{base + 16}" text-anchor="middle">{escape(size)}</text>')
    parts.append(f'<line class="axis" x1="{x}" x2="{x + PANEL_WIDTH - MARGIN}" y1="{base}" y2="{base}"/>')
    return "\n".join(parts)
