"""The fit of an exponent, and what counts as growing too fast, for figures that are known."""

import pytest

from bench.bounds import SUSPECT, Measured, exponent, table, worst
from bench.hostile import STEPS, Shape

LENGTHS = (1000, 2000, 4000, 8000)


@pytest.mark.parametrize("power", [0.5, 1.0, 1.5, 2.0, 3.0])
def test_the_exponent_of_a_power_is_found(power: float) -> None:
    assert exponent(LENGTHS, [1e-3 * length**power for length in LENGTHS]) == pytest.approx(power)


def test_times_too_short_to_measure_give_no_exponent() -> None:
    assert exponent(LENGTHS, [1e-6, 1e-5, 1e-4, 1e-3]) is None
    assert exponent(LENGTHS, [1e-6, 1e-5, 2e-3, 4e-3]) == pytest.approx(1.0)


def test_what_grows_too_fast_is_shown_and_marked() -> None:
    measured = [Measured("json", name, 8000, seconds, power) for name, seconds, power in [
        ("slow", 9.0, 1.0), ("fast", 0.1, None), ("square", 0.5, 2.0), ("steep", 0.3, SUSPECT + 0.1)]]  # fmt: skip
    assert [row.shape for row in worst(measured)] == ["slow", "square", "steep"]
    assert table(worst(measured)).count("grows too fast") == 2


def test_each_input_has_about_the_wanted_length() -> None:
    assert Shape("row", "ab", "<", ">").of(10) == "<abababab>"
    for _, _, shapes in STEPS:
        assert all(2500 < len(shape.of(4096)) <= 4096 for shape in shapes)
        assert len({shape.name for shape in shapes}) == len(shapes)
