"""`python -m ttsworker`: the command line of `ttsworker.cli`."""

from ttsworker.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
