"""Engines that break the rules of the conformance suite about threads, loading and closing."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.support.worker.broken_engines import Broken
from ttscontract.engines import Precision
from ttsworker.engines import Audio, EngineOptions, ModelInvalid, Utterance

PARTNER_SECONDS = 60


class Meeting:
    """Holds each of two calls until the other one is there as well."""

    def __init__(self) -> None:
        self._barrier = threading.Barrier(2)

    def wait(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            self._barrier.wait(PARTNER_SECONDS)


class OneVoiceAtATime(Broken):
    """The voice of a call is in the engine."""

    breaks = ("test_calls_at_once_never_mix",)
    engines = 0

    def load(self) -> None:
        super().load()
        type(self).engines += 1
        self.meeting = Meeting()

    def close(self) -> None:
        super().close()
        type(self).engines -= 1

    def speak(self, utterance: Utterance) -> Audio:
        self.voice = utterance.voice
        if self.engines == 1:
            self.meeting.wait()
        return super().speak(replace(utterance, voice=self.voice))


class OneVoiceForAll(Broken):
    """The voice of a call is in the class, so that two engines share it."""

    breaks = ("test_two_engines_never_mix",)
    parallelism = 1
    engines = 0
    voice = ""
    meeting = Meeting()

    def load(self) -> None:
        super().load()
        type(self).engines += 1

    def close(self) -> None:
        super().close()
        type(self).engines -= 1

    def speak(self, utterance: Utterance) -> Audio:
        type(self).voice = utterance.voice
        if self.engines == 2:
            self.meeting.wait()
        return super().speak(replace(utterance, voice=self.voice))


class BoundToItsThread(Broken):
    breaks = ("test_calls_at_once_never_mix", "test_two_engines_never_mix")

    def load(self) -> None:
        super().load()
        self.local = threading.local()
        self.local.pitch = self.pitch

    def speak(self, utterance: Utterance) -> Audio:
        self.pitch = self.local.pitch
        return super().speak(utterance)


class SpeaksWithoutAModel(Broken):
    breaks = ("test_a_folder_without_a_model_is_refused",)

    def read_pitch(self, folder: Path | None) -> float:
        return super().read_pitch(folder if folder and list(folder.glob("*")) else None)


class FailsAtDamage(Broken):
    breaks = ("test_damaged_files_are_refused",)

    def read_pitch(self, folder: Path | None) -> float:
        try:
            return super().read_pitch(folder)
        except ModelInvalid as error:
            if isinstance(error.__cause__, ValueError):
                raise error.__cause__ from None
            raise


class NeedsAFolder(Broken):
    breaks = ("test_an_engine_without_a_folder_speaks_or_refuses",)

    def read_pitch(self, folder: Path | None) -> float:
        assert folder
        return super().read_pitch(folder)


class UnknownPrecision(Broken):
    breaks = ("test_a_precision_is_used_or_refused",)

    def __init__(self, options: EngineOptions) -> None:
        super().__init__(options)
        self.bits = {Precision.AUTO: 32, Precision.FLOAT32: 32}[options.precision]


class ClosesForAll(Broken):
    breaks = ("test_closing_leaves_other_engines_alone",)
    volume = 1.0

    def load(self) -> None:
        super().load()
        type(self).volume = 1.0

    def close(self) -> None:
        super().close()
        type(self).volume = 0.9

    def speak(self, utterance: Utterance) -> Audio:
        return super().speak(utterance) * np.float32(self.volume)


class KeepsItsMemory(Broken):
    breaks = ("test_closing_gives_the_memory_back",)

    def load(self) -> None:
        super().load()
        self.weights = np.ones(48 * 2**20 // 8)


BROKEN: Sequence[type[Broken]] = Broken.__subclasses__()
"""All of them, those of the other module too."""
