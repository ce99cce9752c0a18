"""The memory of this process."""

import ctypes
import resource
from pathlib import Path


def resident_bytes() -> int:
    """Return the bytes of this process in memory, after what is free in its heap was given back to the system."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # not every C library has it
    if trim:
        trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
