"""How a program ends: one line in the log, and the termination message of its container."""

import json
import logging
from pathlib import Path
from typing import Final

from ttscontract.log_line import escaped
from ttscontract.pods import TERMINATION_BYTES, Termination
from ttscontract.reasons import Reason

MAX_MESSAGE_BYTES: Final = TERMINATION_BYTES // 2 - 64
"""A message of only quotes and backslashes doubles in JSON, and still must not be cut within the JSON."""

log = logging.getLogger(__name__)


def report_failure(reason: Reason, message: str, path: Path, *, level: int = logging.CRITICAL) -> None:
    """Log why the program failed, and leave the same in the termination log at `path`.

    The message may quote a server or a library: control characters are escaped.
    """
    message = escaped(message)
    log.log(level, message, extra={"reason": reason})
    cut = message.encode("utf-8", "replace")[:MAX_MESSAGE_BYTES].decode(errors="ignore")
    write(path, {"reason": reason, "message": cut})


def write(path: Path, ending: Termination) -> None:
    """Write a termination message where the kubelet created the file; elsewhere only the log has the ending."""
    if not path.exists():
        return
    try:
        path.write_text(json.dumps(ending, ensure_ascii=False), encoding="utf-8")
    except OSError as error:
        log.warning("cannot write %s: %s", path, error.strerror)
