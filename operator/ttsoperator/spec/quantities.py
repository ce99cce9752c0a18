"""Kubernetes quantities (`250m`, `2Gi`, `1e3`): the accepted pattern, and their value."""

import math
import re
from decimal import Decimal
from typing import Final

PATTERN: Final = r"^\+?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?[0-9]{1,2}))?$"
"""Kubernetes' own pattern for a quantity, but without negative and extreme values."""

_SUFFIXES: Final = {
    **{suffix: Decimal(1024) ** power for power, suffix in enumerate(["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"], start=1)},
    **{
        suffix: Decimal(1000) ** power
        for power, suffix in enumerate(["n", "u", "m", "", "k", "M", "G", "T", "P", "E"], start=-3)
    },
}
_LARGEST: Final = 2**63 - 1
_FORM: Final = re.compile(r"(?P<number>[+-]?[0-9.]+)(?P<suffix>[a-zA-Z]{0,2}|[eE][+-]?[0-9]+)")


def value_of(quantity: str | int) -> Decimal:
    """Return the value of a quantity; raises ValueError for any other text."""
    match = _FORM.fullmatch(str(quantity))
    if match is None or match["number"].count(".") > 1 or not match["number"].strip("+-."):
        raise ValueError(f"{quantity!r} is not a quantity such as 500m, 2 or 10Gi")
    number, suffix = Decimal(match["number"]), match["suffix"]
    if suffix in _SUFFIXES:
        return number * _SUFFIXES[suffix]
    if suffix[:1] in "eE" and suffix[1:]:
        return number.scaleb(int(suffix[1:]))
    raise ValueError(f"{quantity!r} has an unknown suffix {suffix!r}: use m, k, M, G, T, Ki, Mi, Gi or Ti")


def same(one: str | int, other: str | int) -> bool:
    """Return whether two quantities have the same value (`1` and `1000m`); False if either is not a quantity.

    The API server rounds what a container may have up to thousandths: `0.5m` comes back as `1m`. It cuts what is larger
    than an int64: `1e99` comes back as `9223372036854775807`.
    """
    try:
        return _stored(one) == _stored(other)
    except ValueError:
        return False


def _stored(quantity: str | int) -> int:
    return min(math.ceil(value_of(quantity) * 1000), _LARGEST * 1000)


def whole_bytes(quantity: str | int) -> int:
    """Return a size in bytes, rounded down."""
    return math.floor(value_of(quantity))


def rendered(number: float) -> str:
    """Return a number as Kubernetes writes it, rounded to thousandths: 0.8 is `800m`, 3.0 is `3`."""
    thousandths = round(number * 1000)
    return str(thousandths // 1000) if thousandths % 1000 == 0 else f"{thousandths}m"
