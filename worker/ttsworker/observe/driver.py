"""Finds out which NVIDIA driver the installed torch needs, without importing torch and without a GPU.

CUDA itself would only report cudaErrorInsufficientDriver, or torch would silently use the CPU.
"""

import importlib.util
import logging
import re
from dataclasses import dataclass
from pathlib import Path

MINIMUM_DRIVER = 515
"""The oldest driver (its first number) that is supported at all; it runs CUDA 11.8."""

CUDA_DRIVERS = {11: 450, 12: 525, 13: 580}
"""The oldest driver for every CUDA of a major release, by NVIDIA's rule of minor version compatibility:
https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html"""

_VERSION_PY = re.compile(r"""^(__version__|cuda)\b[^=\n]*=\s*['"]([^'"]+)['"]""", re.MULTILINE)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DriverFloor:
    """The oldest driver that works, by its first number, and what needs it."""

    version: int = MINIMUM_DRIVER
    needed_by: str = "this worker"


def driver_problem(version: str, floor: DriverFloor) -> str | None:
    """Say in one line that a driver is too old and what to do, or return None."""
    major = version.split(".", 1)[0]
    if not major.isdecimal() or int(major) >= floor.version:
        return None
    advice = "update the driver on the node"
    if floor.version > MINIMUM_DRIVER:
        advice += ", or use an image whose torch is built for an older CUDA"
    return f"{floor.needed_by} needs NVIDIA driver {floor.version} or newer, found {version}: {advice}"


def driver_floor() -> DriverFloor:
    """Return the oldest driver that the installed torch can use; without a torch for CUDA, the oldest supported."""
    torch, cuda = torch_cuda()
    needed = CUDA_DRIVERS.get(int(cuda.split(".")[0]), 0) if cuda else 0
    if needed <= MINIMUM_DRIVER:
        return DriverFloor()
    release = ".".join(torch.split("+")[0].split(".")[:2])
    return DriverFloor(needed, f"torch {release} with CUDA {cuda}")


def torch_cuda() -> tuple[str, str]:
    """Return the installed torch's version and its CUDA's, as `2.11.0+cu130` and `13.0`; "" for what is not there.

    Reads torch's version.py: importing torch takes seconds, and the package metadata from PyPI do not name CUDA.
    """
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return "", ""
    try:
        text = (Path(spec.origin).parent / "version.py").read_text(encoding="utf-8")
    except OSError as error:
        log.debug("cannot read torch's CUDA version: %s", error)
        return "", ""
    found = dict(_VERSION_PY.findall(text))
    return found.get("__version__", ""), found.get("cuda", "")
