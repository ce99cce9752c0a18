"""Engines that break the rules of the conformance suite, most of them one; `breaks` names the rule."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import ClassVar

import numpy as np

from tests.support.worker.conforming import ConformingEngine
from ttscontract.engines import Precision
from ttsworker.engines import Audio, EngineOptions, ModelInvalid, Unspeakable, Utterance, Voice

PARTNER_SECONDS = 60
FADED = np.float32(0.9)


class Broken(ConformingEngine):
    breaks: ClassVar[Sequence[str]]


class WithoutAName(Broken):
    breaks = ("test_the_facts_are_in_order",)
    model_name = " "


class NoTag(Broken):
    breaks = ("test_the_voices_are_named",)
    voices = (Voice("high", "English (US)"), Voice("low", "en"))


class OneLanguage(Broken):
    breaks = ("test_the_languages_are_named",)
    languages = ("en",)


class ForeignProbe(Broken):
    breaks = ("test_the_test_sentence_is_one_of_its_own",)
    probe = replace(ConformingEngine.probe, language="fr")


class AnotherRevision(Broken):
    breaks = ("test_the_description_is_always_the_same",)
    numbers = count()

    def load(self) -> None:
        super().load()
        self.revision = str(next(self.numbers))


class MemoryOfNoGpu(Broken):
    breaks = ("test_gpu_memory_is_told_where_there_is_one",)

    def peak_gpu_memory(self) -> int | None:
        return 0


class Whispering(Broken):
    breaks = ("test_the_test_sentence_is_audible",)

    def speak(self, utterance: Utterance) -> Audio:
        return super().speak(utterance) * np.float32(1e-3)


class DoublePrecision(Broken):
    breaks = ("test_the_audio_has_the_right_form",)

    def speak(self, utterance: Utterance) -> Audio:
        audio = super().speak(utterance)
        return audio.astype(np.float64) if utterance == self.probe else audio


class OneSound(Broken):
    breaks = ("test_every_voice_has_its_sound",)

    def speak(self, utterance: Utterance) -> Audio:
        return super().speak(replace(utterance, voice="high"))


class MuteInGerman(Broken):
    breaks = ("test_every_language_is_spoken",)

    def speak(self, utterance: Utterance) -> Audio:
        return np.zeros(0, np.float32) if utterance.language == "de" else super().speak(utterance)


class Cutting(Broken):
    breaks = ("test_the_longest_utterance_is_spoken_whole",)

    def speak(self, utterance: Utterance) -> Audio:
        return super().speak(replace(utterance, text=utterance.text[:100]))


class OneSpeed(Broken):
    breaks = ("test_speed_has_its_effect",)

    def speak(self, utterance: Utterance) -> Audio:
        return super().speak(replace(utterance, speed=1.0))


class Tiring(Broken):
    """It speaks with less voice when it is asked for the same twice."""

    breaks = ("test_the_same_again",)
    last: Utterance | None = None

    def synthesize(self, batch: Sequence[Utterance]) -> list[Audio]:
        tired = self.last == batch[-1]
        self.last = batch[-1]
        return [audio * FADED if tired else audio for audio in super().synthesize(batch)]

    def stream(self, utterance: Utterance) -> Iterator[Audio]:
        self.last = None
        return super().stream(utterance)


class RandomFromTheStart(Broken):
    breaks = ("test_the_same_in_another_process",)
    numbers = count()

    def load(self) -> None:
        super().load()
        self.pitch += next(self.numbers)


class KnowsTheClient(Broken):
    breaks = ("test_the_same_for_every_client",)

    def speak(self, utterance: Utterance) -> Audio:
        return super().speak(replace(utterance, seed=utterance.seed + len(utterance.client)))


class PadsABatch(Broken):
    breaks = ("test_the_same_in_a_batch",)

    def synthesize(self, batch: Sequence[Utterance]) -> list[Audio]:
        spoken = super().synthesize(batch)
        longest = max(map(len, spoken))
        return [np.pad(audio, (0, longest - len(audio))) for audio in spoken]


class LosesTheLastPiece(Broken):
    breaks = ("test_the_same_in_pieces",)

    def stream(self, utterance: Utterance) -> Iterator[Audio]:
        pieces = list(super().stream(utterance))
        yield from pieces[:-1] if utterance.seed == 2 else pieces


class RemembersASeed(Broken):
    breaks = ("test_the_same_after_all_others",)
    remembered = False

    def speak(self, utterance: Utterance) -> Audio:
        self.remembered |= utterance.seed == 5
        return super().speak(utterance) * (FADED if self.remembered else 1)


class InOnePiece(Broken):
    breaks = ("test_what_streams_comes_in_pieces",)

    def stream(self, utterance: Utterance) -> Iterator[Audio]:
        yield self.speak(utterance)


class BusyForEver(Broken):
    """It takes itself for busy until its stream was read to the end."""

    breaks = ("test_a_stream_may_be_closed_early",)
    parallelism = 1
    busy = False

    def stream(self, utterance: Utterance) -> Iterator[Audio]:
        for piece in super().stream(utterance):
            self.busy = True
            yield piece
        self.busy = False

    def speak(self, utterance: Utterance) -> Audio:
        if self.busy:
            raise RuntimeError("it speaks already")
        return super().speak(utterance)


class FailsAtNothing(Broken):
    breaks = ("test_any_text_is_spoken_or_refused",)

    def speak(self, utterance: Utterance) -> Audio:
        utterance.text[0]
        return super().speak(utterance)


class NotThatFast(Broken):
    breaks = ("test_any_speed_is_spoken",)

    def speak(self, utterance: Utterance) -> Audio:
        if utterance.speed > 3:
            raise Unspeakable("that is too fast")
        return super().speak(utterance)


class Offended(Broken):
    breaks = ("test_a_refused_text_leaves_no_trace",)
    offended = False

    def speak(self, utterance: Utterance) -> Audio:
        try:
            return super().speak(utterance) * (FADED if self.offended else 1)
        except Unspeakable:
            self.offended = True
            raise


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
