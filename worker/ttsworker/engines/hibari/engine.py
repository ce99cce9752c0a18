"""English voices of 8 MB that need no GPU and no torch (hibari-tts, Apache-2.0); one is embedded in its package.

The library would download a voice that is not there, so it is always given the file of one that is.
"""

import os
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from hibari import SAMPLE_RATE, Hibari
from hibari.g2p import G2P
from hibari.tts import MAX_PHONEMES
from hibari.voices import DEFAULT, VOICES, voice_path

from ttscontract.engines import Precision
from ttsworker.engines import Audio, EngineOptions, ModelInvalid, Unspeakable
from ttsworker.engines.hibari.onset import silent_samples
from ttsworker.engines.hibari.reading import LIBRARY_ERRORS, Reading
from ttsworker.engines.onnx_file import refuse_external_data
from ttsworker.engines.protocol import MAX_AUDIO_AT_ONCE, Utterance, Voice
from ttsworker.text import MAX_PIECE_LENGTH, cut

# Since 1.29 ONNX Runtime reports to its maker and keeps an id of the machine under HOME, unless this is set before its
# import (`Hibari` imports it). A program that speaks other people's texts calls nobody.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

TRIMMED = "trimmed-1"
"""Part of the revision: how the audio differs from the library's."""

SECONDS_PER_PHONEME = 0.065
"""Of its voices at normal speed."""

SHORTEST_PHONEME = 0.026
"""Seconds, however fast the speech: two frames."""


class HibariEngine:
    """ONNX Runtime with one thread a call and as many calls at once as there are CPUs, which is the faster way."""

    device = "cpu"
    sample_rate = SAMPLE_RATE
    max_batch_size = 1
    max_characters = MAX_PIECE_LENGTH
    streams = False
    pause_seconds = 0.14  # the model ends a sentence with 0.3 to 0.55 s of its own; listeners expect 0.5 to 0.7
    reads_signs = False
    languages: Sequence[str] = ()

    def __init__(self, options: EngineOptions) -> None:
        if options.precision not in {Precision.AUTO, Precision.FLOAT32}:
            message = f"hibari cannot run in {options.precision}: its voices are 8 bit integers; set precision to Auto"
            raise ModelInvalid(message)
        self._model_dir = options.model_dir
        self.parallelism = options.threads
        self.model_name = "hibari"
        self.revision = " ".join([*(f"{name}-{version(name)}" for name in ("hibari-tts", "onnxruntime")), TRIMMED])
        self.voices: Sequence[Voice] = ()
        self._speakers: dict[str, Any] = {}
        self.readings: dict[str, Reading] = {}

    def load(self) -> None:
        """Load every `*.onnx` of the model folder, or the embedded voice."""
        g2p: dict[bool, Any] = {}
        readings: dict[bool, Reading] = {}
        voices = []
        for name, path in self._files():
            known = VOICES.get(name, {})
            british = bool(known.get("british"))
            if british not in g2p:
                g2p[british] = G2P(british=british)
                readings[british] = Reading(g2p[british])
            self._speakers[name] = _open(name, path, g2p[british])
            self.readings[name] = readings[british]
            voices.append(Voice(name, known.get("language", "en-US")))
        self.voices = tuple(voices)
        self.probe = Utterance("The worker is ready to speak.", self.voices[0].name)

    def unspoken(self, utterance: Utterance) -> str:
        """Return what the library's reading rules skip, by their own tables."""
        return self.readings[utterance.voice].unspoken(utterance.text)

    def estimate_seconds(self, utterance: Utterance) -> float:
        """Count the phonemes by the library's tables, and divide them by the speed."""
        phonemes = self.readings[utterance.voice].count_phonemes(utterance.text)
        return phonemes * _seconds_per_phoneme(utterance.speed)

    def synthesize(self, batch: Sequence[Utterance]) -> list[Audio]:
        """Speak each utterance whole."""
        return [np.concatenate([np.zeros(0, np.float32), *self.stream(utterance)]) for utterance in batch]

    def stream(self, utterance: Utterance) -> Iterator[Audio]:
        """Speak an utterance from its first sound, in pieces that are short enough for the memory."""
        speaker = self._speakers[utterance.voice]
        rng = np.random.default_rng(utterance.seed)
        begun = False
        for part in self.parts(utterance):
            audio = speaker.from_ids(speaker.ids(part), utterance.speed, rng)
            yield audio if begun else audio[silent_samples(audio) :]
            begun = begun or len(audio) > 0

    def parts(self, utterance: Utterance) -> Iterator[str]:
        """Yield the phonemes of an utterance, those of one inference at a time. Raises Unspeakable."""
        most = min(MAX_PHONEMES, int(MAX_AUDIO_AT_ONCE / _seconds_per_phoneme(utterance.speed)))
        for phonemes in self.phonemes(utterance.text, utterance.voice):
            yield from cut(phonemes, most)

    def phonemes(self, text: str, voice: str) -> list[str]:
        """Return what a voice says, in the library's phonemes, one piece for 400 of them. Raises Unspeakable."""
        try:
            return list(self._speakers[voice].phonemize(self.readings[voice].rewrite(text)))
        except LIBRARY_ERRORS as error:  # which are not the engine's end
            message = f"the engine cannot read this text ({error})"
            raise Unspeakable(message) from error

    def peak_gpu_memory(self) -> None:
        """Return None: it uses no GPU."""

    def close(self) -> None:
        """Forget the voices."""
        self._speakers.clear()

    def _files(self) -> list[tuple[str, str]]:
        if self._model_dir is None:
            return [(DEFAULT, str(embedded_voice()))]
        names = {known["file"]: name for name, known in VOICES.items()}
        files = sorted(path for path in self._model_dir.glob("*.onnx") if path.is_file())
        if not files:
            below = sorted(self._model_dir.rglob("*.onnx"))
            where = f"; the first one below it is in {below[0].parent}" if below else ""
            message = f"there is no *.onnx file in {self._model_dir}: it has no voice of the engine hibari{where}"
            raise ModelInvalid(message)
        for path in files:
            refuse_external_data(path)
        return [(names.get(path.name, path.stem), str(path)) for path in files]


def embedded_voice() -> Path:
    """Return the file of the voice in the package."""
    return Path(voice_path(DEFAULT, download_missing=False))


def _seconds_per_phoneme(speed: float) -> float:
    return max(SECONDS_PER_PHONEME / speed, SHORTEST_PHONEME)


def _open(name: str, path: str, g2p: object) -> Any:
    voice = name if name in VOICES else DEFAULT
    try:
        speaker = Hibari(voice=voice, model=path, threads=1, g2p=g2p)
    except Exception as error:  # ONNX Runtime's errors share no base below Exception
        message = f"{Path(path).name} is not an ONNX model: {str(error).splitlines()[0]}"
        raise ModelInvalid(message) from error
    inputs = {value.name for value in speaker.sess.get_inputs()}
    if inputs != {"ids", "speed"}:
        message = (
            f"{Path(path).name} is an ONNX model but not a hibari voice: its inputs are {', '.join(sorted(inputs))}"
        )
        raise ModelInvalid(message)
    return speaker
