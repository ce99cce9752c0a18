"""GPU figures through the real nvidia-ml-py, from a small libnvidia-ml.so.1 that is built here."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ttsworker.observe.driver import DriverFloor, driver_problem
from ttsworker.observe.gpu import visible_devices

SOURCE = Path(__file__).parents[2] / "support" / "fake_nvml.c"
ONE = "GPU-aaaa-1 NVIDIA-L4 40 6000000000 24000000000"
TWO = "GPU-bbbb-2 NVIDIA-L4 60 2000000000 24000000000"
SLICE = "MIG-cccc-3 NVIDIA-A100-MIG -1 1000000000 10000000000"

READ = """
import dataclasses, json, logging, sys
from ttsworker.observe.gpu import GpuMonitor
logging.basicConfig(level="INFO", format="%(message)s", stream=sys.stderr)
def wait_long(answered, seconds):
    return answered.wait(60.0)
def tell(monitor):
    figures = monitor.read()
    ratio = figures and figures.memory_used_ratio
    return {"figures": figures and dataclasses.asdict(figures), "ratio": ratio, "problem": monitor.problem}
"""
ONCE = "print(json.dumps(tell(GpuMonitor(wait=wait_long))))"

Run = Callable[..., tuple[Any, str]]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.fail("a C compiler is needed to build the fake libnvidia-ml: install gcc")
    folder = tmp_path_factory.mktemp("nvml")
    options = ["-shared", "-fPIC", "-Wall", "-Werror", "-Wl,-soname,libnvidia-ml.so.1"]
    subprocess.run([compiler, *options, "-o", str(folder / "libnvidia-ml.so.1"), str(SOURCE)], check=True)
    return folder


def write_torch(packages: Path, version: str | None, cuda: str | None) -> Path:
    """Put a torch there that cannot be imported, with a version.py as in its wheels; for None without one."""
    folder = packages / "torch"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text("raise RuntimeError('torch was imported')")
    (folder / "version.py").unlink(missing_ok=True)
    if version:
        lines = [f"__version__ = {version!r}", "debug = False", f"cuda: Optional[str] = {cuda!r}", "hip = None"]
        (folder / "version.py").write_text("from typing import Optional\n" + "\n".join(lines))
    return packages


@pytest.fixture
def run(library: Path, tmp_path: Path) -> Run:
    """Run a script in a Python that finds the library; returns the JSON it prints and what it logs."""

    def with_driver(
        *devices: str,
        script: str = ONCE,
        init: int = 0,
        driver: str = "550.54.15",
        torch: str | None = "2.11.0+cpu",
        cuda: str | None = None,
        **environment: str,
    ) -> tuple[Any, str]:
        state = tmp_path / "state"
        state.write_text("\n".join([f"{init} 0 {driver} {len(devices)}", *devices]))
        packages = write_torch(tmp_path / "packages", torch, cuda)
        ours = {"LD_LIBRARY_PATH": str(library), "FAKE_NVML": str(state), "PYTHONPATH": str(packages)}
        names = {"CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"}
        inherited = {name: value for name, value in os.environ.items() if name not in names}
        done = subprocess.run(
            [sys.executable, "-c", READ + script],
            env=inherited | ours | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), done.stderr

    return with_driver


def test_the_figures_of_one_gpu(run: Run) -> None:
    told, log = run(ONE)
    assert told["figures"] == {
        "count": 1,
        "name": "NVIDIA-L4",
        "driver_version": "550.54.15",
        "utilization": 0.4,
        "memory_used": 6_000_000_000,
        "memory_total": 24_000_000_000,
    }
    assert (told["ratio"], told["problem"], log) == (0.25, None, "")


def test_several_gpus_are_taken_together(run: Run) -> None:
    figures = run(ONE, TWO)[0]["figures"]
    assert (figures["count"], figures["utilization"], figures["memory_used"]) == (2, 0.5, 8_000_000_000)


def test_a_slice_without_utilization_still_tells_its_memory(run: Run) -> None:
    told, log = run(SLICE)
    assert (told["figures"]["utilization"], told["ratio"], log) == (None, 0.1, "")


def test_only_the_containers_visible_devices_count(run: Run) -> None:
    assert run(ONE, TWO, CUDA_VISIBLE_DEVICES="1")[0]["figures"]["memory_used"] == 2_000_000_000
    assert run(ONE, TWO, CUDA_VISIBLE_DEVICES="GPU-bbbb")[0]["figures"]["memory_used"] == 2_000_000_000
    assert run(ONE, NVIDIA_VISIBLE_DEVICES="void")[0]["figures"] is None


def test_no_device_no_library_no_figures_and_no_noise(run: Run) -> None:
    assert run() == ({"figures": None, "ratio": None, "problem": None}, "")
    assert run(ONE, LD_LIBRARY_PATH="") == ({"figures": None, "ratio": None, "problem": None}, "")


def test_a_gpu_without_a_driver_in_the_container_is_one_clear_line(run: Run) -> None:
    told, log = run(ONE, LD_LIBRARY_PATH="", NVIDIA_VISIBLE_DEVICES="GPU-aaaa-1")
    assert told["figures"] is None
    assert "GPU-aaaa-1" in told["problem"]
    assert "container toolkit" in told["problem"]
    assert log.splitlines() == [told["problem"]]


def test_a_driver_too_old_is_one_clear_line(run: Run) -> None:
    script = "m = GpuMonitor(wait=wait_long); m.read(); m.close(); print(json.dumps(tell(m)))"
    told, log = run(ONE, driver="470.57.02", script=script)
    assert told["problem"] == (
        "this worker needs NVIDIA driver 515 or newer, found 470.57.02: update the driver on the node"
    )
    assert log.splitlines() == [told["problem"]]
    assert told["figures"]["memory_used"] == 6_000_000_000


def test_a_driver_that_does_not_answer_is_one_clear_line(run: Run) -> None:
    told, log = run(ONE, init=18)
    assert told["figures"] is None
    assert "does not answer" in told["problem"]
    assert log.splitlines() == [told["problem"]]


def test_readings_within_a_second_come_from_memory(run: Run) -> None:
    script = """
import ctypes
now = 0.0
monitor = GpuMonitor(clock=lambda: now, wait=wait_long)
for now in (0.0, 0.1, 0.9, 1.1): monitor.read()
print(ctypes.CDLL("libnvidia-ml.so.1").fake_calls())
"""
    assert run(ONE, script=script)[0] == 2


def test_a_gpu_that_falls_off_the_bus_and_returns(run: Run) -> None:
    script = """
import os, pathlib
state = pathlib.Path(os.environ["FAKE_NVML"])
good, told = state.read_text(), []
now = 0.0
monitor = GpuMonitor(clock=lambda: now, wait=wait_long)
for now, text in ((0.0, good), (2.0, good.replace("0 0", "0 15", 1)), (20.0, good), (40.0, good)):
    state.write_text(text)
    told.append([monitor.read() is not None, monitor.problem is not None])
print(json.dumps(told))
"""
    told, log = run(ONE, script=script)
    assert told == [[True, False], [False, True], [False, True], [True, False]]
    assert len(log.splitlines()) == 1


def test_a_driver_that_hangs_is_one_clear_line_and_keeps_nobody(run: Run) -> None:
    script = """
import os, pathlib
state = pathlib.Path(os.environ["FAKE_NVML"])
good, told, now, hanging = state.read_text(), [], 0.0, True
asked = []
def wait(answered, seconds):
    asked.append(seconds)
    return answered.wait(0.0 if hanging else 60.0)
monitor = GpuMonitor(clock=lambda: now, wait=wait)
def become(text):
    new = state.with_name("new")
    new.write_text(text)
    new.replace(state)  # at once: a hanging driver looks at it all the time
become(good.replace("0 0", "-1 0", 1))
for now in (0.0, 100.0): told.append(tell(monitor))
monitor.close()
become(good)
assert monitor._answered.wait(60.0)
hanging = False
for now in (200.0, 300.0): told.append(tell(monitor))
become(good.replace("0 0", "-1 0", 1))
now, hanging = 400.0, True
told.append(tell(monitor))
now = 450.0
become(good)
assert monitor._answered.wait(60.0)
now, hanging = 500.0, False
told.append(tell(monitor))
assert asked == [2.0, 0.0, 2.0, 2.0, 2.0, 2.0], asked
print(json.dumps(told))
"""
    told, log = run(ONE, script=script)
    assert [each["figures"] is None for each in told] == [True, True, False, False, True, False]
    [problem] = {each["problem"] for each in told if each["figures"] is None}
    assert "has not answered for" in problem
    assert {each["problem"] for each in told if each["figures"]} == {None}
    assert log.splitlines() == [problem] * 2


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (None, [0, 1, 2]),
        ("", []),
        ("-1", []),
        ("2,0", [2, 0]),
        (" 1 , 2 ", [1, 2]),
        ("0,9,1", [0]),
        ("1,1", [1]),
        ("GPU-b", [1]),
        ("GPU-", []),
        ("MIG-c,GPU-a", [2, 0]),
        ("all", []),
    ],
)
def test_visible_devices_are_read_as_cuda_does(wanted: str | None, chosen: list[int]) -> None:
    environment = {} if wanted is None else {"CUDA_VISIBLE_DEVICES": wanted}
    assert visible_devices(["GPU-aaaa", "GPU-bbbb", "MIG-cccc"], environment) == chosen


@pytest.mark.parametrize(("version", "old"), [("514.9", True), ("515.43.04", False), ("580.1", False), ("odd", False)])
def test_the_oldest_driver_that_will_do(version: str, *, old: bool) -> None:
    assert (driver_problem(version, DriverFloor()) is not None) == old


def test_a_driver_below_what_torchs_cuda_needs_is_one_clear_line_and_torch_is_not_imported(run: Run) -> None:
    told, log = run(ONE, driver="535.183.01", torch="2.11.0+cu130", cuda="13.0")
    assert told["problem"] == (
        "torch 2.11 with CUDA 13.0 needs NVIDIA driver 580 or newer, found 535.183.01: "
        "update the driver on the node, or use an image whose torch is built for an older CUDA"
    )
    assert log.splitlines() == [told["problem"]]


@pytest.mark.parametrize(
    ("torch", "cuda", "driver", "enough"),
    [
        ("2.11.0+cu130", "13.0", "580.65.06", True),
        ("2.11.0", "13.2", "579.99", False),
        ("2.9.1+cu128", "12.8", "525.60.13", True),
        ("2.9.1+cu128", "12.8", "520.61.05", False),
        ("2.3.0+cu118", "11.8", "515.43.04", True),
        ("2.3.0+cu118", "11.8", "510.47.03", False),
        ("2.11.0+cpu", None, "515.43.04", True),
        ("3.0.0", "99.0", "515.43.04", True),
        (None, None, "515.43.04", True),
    ],
)
def test_every_cuda_has_its_oldest_driver(
    run: Run, torch: str | None, cuda: str | None, driver: str, *, enough: bool
) -> None:
    told, _ = run(ONE, driver=driver, torch=torch, cuda=cuda)
    assert (told["problem"] is None) == enough
