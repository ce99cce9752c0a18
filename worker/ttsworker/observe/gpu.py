"""The GPU's figures, read through NVML.

NVML lists the devices the container may use; of these CUDA_VISIBLE_DEVICES picks what this process uses, and
NVIDIA_VISIBLE_DEVICES, set by NVIDIA's device plugin, says that the container was given some, or (void) none.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pynvml

from ttsworker.observe.driver import driver_floor, driver_problem

_NO_DEVICES = {"", "none", "void"}

ANSWER_SECONDS = 2.0
"""How long a reader waits for the driver. A broken driver may not answer for hours, or ever."""

READ_INTERVAL_SECONDS = 1.0
RETRY_INTERVAL_SECONDS = 30.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GpuFigures:
    """The GPUs this process may use, taken together.

    `utilization` is the mean over the devices, 0 to 1, and None where NVML does not report it (MIG slices). Memory is
    their sum in bytes. `name` is the first one's.
    """

    count: int
    name: str
    driver_version: str
    utilization: float | None
    memory_used: int
    memory_total: int

    @property
    def memory_used_ratio(self) -> float:
        """Used of total memory, 0 to 1."""
        return self.memory_used / self.memory_total


class GpuMonitor:
    """Reads the figures at most once a second, for any thread; a call in between costs nothing.

    A thread of its own asks the driver, so that a driver that hangs blocks nothing else. `problem` is None or one line
    that says why GPUs cannot be used here although there is a driver. `wait` waits for an event for some seconds.
    """

    def __init__(
        self,
        *,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        self.problem: str | None = None
        self._environ = environ
        self._clock = clock
        self._wait = wait
        self._lock = threading.Lock()
        self._is_open = False
        self._devices: list[Any] = []
        self._driver_version = ""
        self._figures: GpuFigures | None = None
        self._next_read = float("-inf")
        self._asked = 0.0
        self._answered = threading.Event()
        self._answered.set()

    def read(self) -> GpuFigures | None:
        """Return the figures, or None without a GPU, a driver library, or an answer of it in `ANSWER_SECONDS`."""
        with self._lock:
            if self._answered.is_set() and self._clock() >= self._next_read:
                self._answered.clear()
                self._asked = self._clock()
                threading.Thread(target=self._ask, name="nvml", daemon=True).start()
            remaining = self._asked + ANSWER_SECONDS - self._clock()
        if self._wait(self._answered, max(0.0, remaining)):
            return self._figures
        self._set_problem(f"the NVIDIA driver has not answered for {ANSWER_SECONDS:g} s: check nvidia-smi on the host")
        return None

    def close(self) -> None:
        """Close NVML, unless it hangs; a later read opens it again."""
        with self._lock:
            if self._answered.is_set():
                self._close()
                self._figures, self._next_read = None, float("-inf")

    def _ask(self) -> None:
        self._figures = None
        try:
            self._figures = self._read()
        finally:
            if self._clock() > self._asked + ANSWER_SECONDS:
                self._close()  # the next read opens it again and finds out its present problem
            self._next_read = self._clock() + (READ_INTERVAL_SECONDS if self._figures else RETRY_INTERVAL_SECONDS)
            self._answered.set()

    def _read(self) -> GpuFigures | None:
        try:
            if not self._is_open:
                self._open()
            return self._measure(self._devices) if self._devices else None
        except pynvml.NVMLError as error:
            self._report(error)
            self._close()
            return None

    def _open(self) -> None:
        pynvml.nvmlInit()
        self._is_open = True
        self._driver_version = pynvml.nvmlSystemGetDriverVersion()
        self._set_problem(driver_problem(self._driver_version, driver_floor()))
        devices = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        chosen = visible_devices([pynvml.nvmlDeviceGetUUID(device) for device in devices], self._environ)
        self._devices = [devices[index] for index in chosen]

    def _close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        try:
            pynvml.nvmlShutdown()
        except pynvml.NVMLError as error:
            log.debug("NVML did not shut down: %s", error)

    def _measure(self, devices: list[Any]) -> GpuFigures:
        memory = [pynvml.nvmlDeviceGetMemoryInfo(device) for device in devices]
        busy = [figure for device in devices if (figure := _utilization(device)) is not None]
        return GpuFigures(
            count=len(devices),
            name=pynvml.nvmlDeviceGetName(devices[0]),
            driver_version=self._driver_version,
            utilization=sum(busy) / len(busy) if busy else None,
            memory_used=sum(int(figure.used) for figure in memory),
            memory_total=sum(int(figure.total) for figure in memory),
        )

    def _report(self, error: pynvml.NVMLError) -> None:
        if error.value == pynvml.NVML_ERROR_LIBRARY_NOT_FOUND:
            given = self._environ.get("NVIDIA_VISIBLE_DEVICES", "")
            if given not in _NO_DEVICES:
                self._set_problem(
                    f"the container has a GPU ({given}) but no NVIDIA driver: check the container toolkit of the "
                    "host and, in Kubernetes, spec.podTemplate.runtimeClassName"
                )
        else:
            self._set_problem(f"the NVIDIA driver does not answer ({error}): check nvidia-smi on the host")

    def _set_problem(self, problem: str | None) -> None:
        if problem and problem != self.problem:
            log.warning(problem)
        self.problem = problem


def visible_devices(uuids: list[str], environ: Mapping[str, str]) -> list[int]:
    """Return the indices of the devices this process may use, in CUDA's way of reading the two variables.

    CUDA_VISIBLE_DEVICES lists indices, or UUIDs that may be shortened; the first one that is not there ends the list.
    """
    if environ.get("NVIDIA_VISIBLE_DEVICES", "all") in _NO_DEVICES:
        return []
    if (wanted := environ.get("CUDA_VISIBLE_DEVICES")) is None:
        return list(range(len(uuids)))
    chosen: list[int] = []
    for word in wanted.split(","):
        name = word.strip()
        matches = [index for index, uuid in enumerate(uuids) if name == str(index) or (name and uuid.startswith(name))]
        if len(matches) != 1 or matches[0] in chosen:
            break
        chosen.append(matches[0])
    return chosen


def _utilization(device: object) -> float | None:
    try:
        return float(pynvml.nvmlDeviceGetUtilizationRates(device).gpu) / 100
    except pynvml.NVMLError as error:
        if error.value in {pynvml.NVML_ERROR_NOT_SUPPORTED, pynvml.NVML_ERROR_NO_PERMISSION}:
            return None
        raise
