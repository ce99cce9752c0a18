"""Writes a VITS voice of random weights for both servers: `python -m bench.checkpoint FOLDER SIZE`.

Random weights cost as much time and memory as trained ones of the same shape, and a character lasts about 70 ms, as in
speech. A separate program, so that torch does not stay in the benchmark's process.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.worker import tiny_vits
from ttsworker.models.store import build_manifest, write_manifest

# The layers are the defaults of Coqui's configuration, as in published voices; the decoder's channels set the cost.
# With 512 channels the model has 36 million parameters, of which synthesis uses 29 million.
SIZES: Mapping[str, Mapping[str, Any]] = {
    "tiny": tiny_vits.TINY,
    "voice": {"upsample_initial_channel_decoder": 256},  # synthesis uses 18 million parameters
    "large": {"upsample_initial_channel_decoder": 512},
}


def write(folder: Path, size: str) -> None:
    """Write config.json, the checkpoint, and the manifest that our worker checks."""
    tiny_vits.write(folder, sizes=SIZES[size])
    write_manifest(folder, build_manifest(folder, source=f"bench://random-vits-{size}"))


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2])
