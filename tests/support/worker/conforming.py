"""An engine that keeps every rule of the conformance suite, to be broken by others, and a way to run the suite."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

from ttscontract.engines import Precision
from ttsworker.engines import Audio, EngineOptions, ModelInvalid, Unspeakable, Utterance, Voice

PITCH_FILE = "pitch.txt"
SECONDS_PER_CHARACTER = 0.05
LIMIT_SECONDS = 240


class ConformingEngine:
    """Speaks tones in two voices and two languages; a model folder has the pitch of them."""

    model_name = "conforming"
    revision = "1"
    device = "cpu"
    sample_rate = 8_000
    parallelism = 2
    max_batch_size = 4
    max_characters = 200
    streams = True
    pause_seconds = 0.1
    reads_signs = False
    voices: Sequence[Voice] = (Voice("high", "en"), Voice("low", "de-DE"))
    languages: Sequence[str] = ("en", "de")
    probe = Utterance("The worker is ready to speak.", "high")

    def __init__(self, options: EngineOptions) -> None:
        self.options = options
        if options.precision is Precision.FLOAT16:
            raise ModelInvalid("the tones are computed in Float32: set precision to Auto")
        self.pitch = 0.0

    def load(self) -> None:
        self.pitch = self.read_pitch(self.options.model_dir)

    def read_pitch(self, folder: Path | None) -> float:
        try:
            return float((folder / PITCH_FILE).read_text()) if folder else 300.0
        except (OSError, ValueError) as error:
            message = f"there is no pitch in {folder}: {error}"
            raise ModelInvalid(message) from error

    def unspoken(self, utterance: Utterance) -> str:
        return "".join(sign for sign in utterance.text if sign in "%&|")

    def estimate_seconds(self, utterance: Utterance) -> float:
        return len(utterance.text) * SECONDS_PER_CHARACTER / utterance.speed

    def synthesize(self, batch: Sequence[Utterance]) -> list[Audio]:
        return [self.speak(utterance) for utterance in batch]

    def stream(self, utterance: Utterance) -> Iterator[Audio]:
        audio = self.speak(utterance)
        for start in range(0, len(audio), 2_000):
            yield audio[start : start + 2_000]

    def speak(self, utterance: Utterance) -> Audio:
        if "\U00012000" in utterance.text:
            raise Unspeakable("there is no tone for cuneiform")
        if not any(character.isalnum() for character in utterance.text):
            return np.zeros(0, np.float32)
        samples = round(len(utterance.text) * SECONDS_PER_CHARACTER / utterance.speed * self.sample_rate)
        pitch = self.pitch * (1 if utterance.voice == "high" else 0.5) + utterance.seed
        wave: Audio = (0.5 * np.sin(2 * np.pi * pitch / self.sample_rate * np.arange(samples))).astype(np.float32)
        return wave

    def peak_gpu_memory(self) -> int | None:
        return None

    def close(self) -> None:
        self.pitch = 0.0


def write_model(folder: Path) -> Path:
    """Write a model of this engine."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PITCH_FILE).write_text("250")
    return folder


def run_suite(engine: str, tmp_path: Path, *arguments: str, pythonpath: Path | None = None) -> dict[str, str]:
    """Run the suite as its users do; return for each test, by function and case, passed, failed, error or skipped."""
    results = tmp_path / "results.xml"
    command = [sys.executable, "-m", "pytest", "--pyargs", "ttsworker.conformance", "--engine", engine, *arguments]
    quiet = ["-q", "-p", "pytest_timeout", "-p", "ttsworker.conformance.options", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *quiet, f"--junit-xml={results}"],
        cwd=tmp_path,
        # Without the plugins that are only ours, which cost more time than a small engine does.
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(pythonpath or Path.cwd())},
        capture_output=True,
        check=False,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    print(done.stdout)  # noqa: T201 - pytest shows it where the test fails
    return {case.attrib["name"]: _outcome(case) for case in _cases(results)}


def _cases(results: Path) -> Iterator[ET.Element]:
    return ET.parse(results).iter("testcase")  # noqa: S314 - pytest wrote it


def _outcome(case: ET.Element) -> str:
    for outcome in ("failure", "error", "skipped"):
        if case.find(outcome) is not None:
            return outcome
    return "passed"


def not_passed(results: dict[str, str]) -> dict[str, str]:
    """Return what failed."""
    return {name: outcome for name, outcome in results.items() if outcome not in {"passed", "skipped"}}
