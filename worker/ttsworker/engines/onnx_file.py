"""ONNX models from outside: a model must be one file.

A model may keep weights in other files, whose paths are in it: relative ones with `..`, or absolute ones. ONNX Runtime
then reads any file that the worker may read. No voice of a supported engine does that, so such a model is refused.
"""

import mmap
import re
from pathlib import Path

from ttsworker.engines.errors import ModelInvalid

_EXTERNAL = re.compile(rb"(?:\x0a|\x8a\x80*\x00)(?:\x08|\x88\x80*\x00)location")
"""The key of an external file as protobuf writes it: field 1, 8 bytes, `location`; numbers may be padded."""


def refuse_external_data(path: Path) -> None:
    """Raise ModelInvalid if a model refers to other files."""
    with path.open("rb") as file:
        if not path.stat().st_size:  # which mmap refuses
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if _EXTERNAL.search(content):
                raise ModelInvalid(f"{path.name} keeps data in other files: make it one file without external data")
