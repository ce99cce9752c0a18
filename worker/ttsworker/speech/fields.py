"""Fields of a request that have no effect: other servers have them, or they are misspelled."""

import re
from collections.abc import Collection, Iterable, Sequence

from ttscontract.worker_config import UnknownFields
from ttsworker.speech.errors import LONGEST_NAME, InvalidRequest

MOST_NAMES = 16

_UNSAFE = re.compile(r"[^\w.-]", re.ASCII)


def unknown_fields(names: Iterable[str], known: Collection[str], rule: UnknownFields) -> tuple[str, ...]:
    """Return the names that are not known, safe to show; raises InvalidRequest where there are any and must not be."""
    unknown = [name for name in names if name not in known]
    if unknown and rule is UnknownFields.REJECT:
        param = unknown[0][:LONGEST_NAME]
        message = f"unknown parameter {param!r}; the parameters are {', '.join(known)}"
        raise InvalidRequest("unknown_parameter", message, param=param)
    return _shown(unknown)


def _shown(names: Sequence[str]) -> tuple[str, ...]:
    """Return names that fit into a header and a log line: few and short, of ASCII letters, digits and `_.-`."""
    few = tuple(_UNSAFE.sub("?", name[:LONGEST_NAME]) for name in names[:MOST_NAMES])
    return few if len(names) <= MOST_NAMES else (*few, "...")
