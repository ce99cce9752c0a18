"""A real HAProxy for tests, the one that hack/tools finds or installs."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


def program() -> str:
    """Return its path."""
    tool = [sys.executable, str(ROOT / "hack/tools"), "haproxy"]
    return subprocess.run(tool, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


@contextmanager
def running_haproxy(
    arguments: Sequence[str], environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run it in the foreground; both of its outputs go into a file."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            [program(), *arguments], env=os.environ | dict(environment), stdout=file, stderr=file
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
