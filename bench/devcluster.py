"""How long hack/devcluster takes to come up when everything is built, and the memory it then has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.support.cluster.kubectl import ROOT


def warm_start(state: Path) -> tuple[float, float]:
    """Seconds from `up` to the node being Ready, and bytes in all; a cluster of its own, which leaves nothing."""
    environment = {**os.environ, "TTS_DEVCLUSTER_STATE": str(state)}

    def devcluster(*arguments: str) -> str:
        command = [sys.executable, str(ROOT / "hack/devcluster"), *arguments]
        done = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True)
        return done.stdout

    try:
        devcluster("up")  # the first start of a state folder also imports the pause image
        devcluster("down")
        began = time.monotonic()
        devcluster("up")
        seconds = time.monotonic() - began
        return seconds, float(json.loads(devcluster("status", "--json"))["memoryBytes"])
    finally:
        devcluster("down", "--purge")
