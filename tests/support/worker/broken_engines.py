"""Engines that break the conformance suite's rules of speaking, one rule each; `breaks` names it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import ClassVar

import numpy as np

from tests.support.worker.conforming import ConformingEngine
from ttsworker.engines import Audio, Unspeakable, Utterance, Voice

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

    def estimate_seconds(self, utterance: Utterance) -> float:
        return super().estimate_seconds(replace(utterance, speed=1.0))


class EstimatesNoSpeed(Broken):
    breaks = ("test_the_estimate_is_close",)

    def estimate_seconds(self, utterance: Utterance) -> float:
        return super().estimate_seconds(replace(utterance, speed=1.0)) / 1.5


class NamesInAnyOrder(Broken):
    breaks = ("test_what_is_left_out_is_named",)

    def unspoken(self, utterance: Utterance) -> str:
        return super().unspoken(utterance)[::-1]


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


class KnowsTheOwner(Broken):
    breaks = ("test_the_same_for_every_owner",)

    def speak(self, utterance: Utterance) -> Audio:
        return super().speak(replace(utterance, seed=utterance.seed + len(utterance.owner)))


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
