"""Writes a VITS voice of random weights for both servers: `python -m bench.checkpoint FOLDER SIZE`.

Random weights cost as much time and memory as trained ones of the same shape, and a character lasts about 70 ms, as in
speech. A program of its own, so that torch does not stay in the bench's process.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.worker import tiny_vits
from ttsworker.models.store import build_manifest, write_manifest

# Layers are those that Coqui's configuration has by default, which published voices keep; the decoder's channels set
# the price. 36 million parameters in all with 512 channels, of which speaking uses 29.
SIZES: Mapping[str, Mapping[str, Any]] = {
    "tiny": tiny_vits.TINY,
    "voice": {"upsample_initial_channel_decoder": 256},  # 18 million parameters that speaking uses
    "large": {"upsample_initial_channel_decoder": 512},
}


def write(folder: Path, size: str) -> None:
    """Write config.json, the checkpoint, and the manifest that our worker checks."""
    tiny_vits.write(folder, sizes=SIZES[size])
    write_manifest(folder, build_manifest(folder, source=f"bench://random-vits-{size}"))


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2])
