"""`python -m ttsworker`: the command line of `ttsworker.cli`."""

import sys
from pathlib import Path

# Python looks for modules in the working folder first, which may hold somebody's model, or anything.
if (
    __name__ == "__main__"
    and not sys.flags.safe_path
    and sys.path[0] == str(Path.cwd()) != str(Path(__file__).parents[1])
):
    del sys.path[0]

from ttsworker.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
