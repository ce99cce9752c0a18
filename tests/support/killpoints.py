"""Run the download program and kill it at its n-th change of the filesystem, for every n from the first to the last.

    python -m tests.support.killpoints ROOT OPTIONS_OF_THE_PROGRAM…

Python's audit events tell of a change just before it happens. After each kill the folder ROOT/1, ROOT/2, … is what the
program left behind; the last one is that of a run that came to its end.
"""

import os
import signal
import sys
from pathlib import Path

from ttsworker.fetch.__main__ import main

CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.truncate", "shutil.rmtree", "ctypes.dlsym"}


def run(root: Path, options: list[str]) -> None:
    """Run until a run is not killed; exit with its code."""
    number, status = 0, -signal.SIGKILL
    while status == -signal.SIGKILL:
        number += 1
        child = os.fork()
        if child == 0:
            _die_at(number)
            os._exit(main([*options, "--root", str(root / str(number))]))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    sys.exit(status)


def _die_at(number: int) -> None:
    seen = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if event in CHANGES or writes:
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2:])
