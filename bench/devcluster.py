"""Measures how long hack/devcluster takes to start when everything is built, and how much memory it uses then."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.support.cluster.kubectl import ROOT


def warm_start(state: Path) -> tuple[float, float]:
    """Return the seconds from `up` to the Ready node, and the bytes of all parts; uses and deletes its own cluster."""
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
