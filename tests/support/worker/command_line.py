"""The command line as people use it: the real program with its two outputs."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.worker.serving import PATIENCE_SECONDS


def ttsworker(
    *arguments: str, folder: Path, stdin: bytes = b"", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "ttsworker", *arguments],
        cwd=folder,
        input=stdin,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
