"""`python -m ttsoperator`: the program of `ttsoperator.main`."""

from ttsoperator.main import main

if __name__ == "__main__":
    main()
