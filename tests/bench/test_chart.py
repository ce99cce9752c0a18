"""The chart shows what the table says."""

import xml.etree.ElementTree as ET

from bench.chart import PLOT_HEIGHT, draw, panels
from bench.report import Row, table

ROWS = [
    Row("requests per second, 1 at once", 4.0, "/s", "peer", 2.0),
    Row("requests per second, 16 at once", 8.0, "/s", "peer", 1.0),
    Row("first audio, median, 1 at once", 0.1, "s", "peer", 0.4),
    Row("first audio, median, streamed to 4 at once", 0.2, "s"),
    Row("cold start", 3.0, "s", "peer", 9.0),
]


def test_a_figure_measured_in_several_sizes_is_a_panel() -> None:
    first, second = panels(ROWS)
    assert (first.title, first.bars) == (
        "requests per second (/s)",
        [("1 at once", 4.0, 2.0), ("16 at once", 8.0, 1.0)],
    )
    assert (second.title, second.bars) == ("first audio, median (s)", [("1 at once", 0.1, 0.4)])


def test_bars_are_as_high_as_their_values() -> None:
    chart = ET.fromstring(draw(ROWS, "ours & theirs", "<peer>"))  # noqa: S314 - made here
    svg = "{http://www.w3.org/2000/svg}"
    bars = [rect for rect in chart.iter(f"{svg}rect") if rect.get("width") == "26"]
    heights = [float(bar.get("height", 0)) / PLOT_HEIGHT for bar in bars]
    assert heights == [0.5, 0.25, 1.0, 0.125, 0.25, 1.0]
    words = [text.text for text in chart.iter(f"{svg}text")]
    assert {"ours & theirs", "<peer>", "16 at once", "8", "0.4"} <= set(words)


def test_the_table_has_a_ratio_wherever_there_is_something_to_divide_by() -> None:
    lines = table([*ROWS[:1], ROWS[3], Row("clicks", 0, "", "joins", 0)]).splitlines()[2:]
    assert lines[0] == "| requests per second, 1 at once | 4 /s | 2 /s (peer) | 2.00 |"
    assert lines[1] == "| first audio, median, streamed to 4 at once | 0.2 s |  |  |"
    assert lines[2].endswith("|  |")
