"""Piper voices: VITS in ONNX, each a file `NAME.onnx` and beside it `NAME.onnx.json`.

The same utterance gives the same audio, alone and beside others: its noise is drawn from its seed (see graph.py).
Differences from Piper: audio is not scaled to full volume, because a stream cannot be; `[[ ]]` in a text is text; and
Arabic texts are read as they are written, without a model that adds their vowels.
"""

import logging
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np

from ttscontract.engines import Precision
from ttsworker.engines import Audio, EngineOptions, ModelInvalid, Unspeakable
from ttsworker.engines.onnx import espeak
from ttsworker.engines.onnx.graph import SPEAKER, Graph
from ttsworker.engines.onnx.phonemes import BEGIN, END, PAD, PhonemeIds, decompose, read_sentences
from ttsworker.engines.onnx.reading import EspeakReading, TextReading
from ttsworker.engines.onnx.voice_file import PhonemeType, VoiceFile, read_voice_file
from ttsworker.engines.protocol import MAX_AUDIO_AT_ONCE, Utterance, Voice
from ttsworker.text import MAX_PIECE_LENGTH, cut

SECONDS_PER_PHONEME = 0.040
"""At a length scale and a speed of 1; marks of stress and length, and spaces, are phonemes too."""

SECONDS_OF_ROUNDING = 0.014
"""A phoneme and the pad after it have whole frames, of 12 ms mostly, at any speed."""

NOISE_SAMPLES = 2**17
"""Random numbers of an utterance for each noise: 8 s of a usual voice; then the row begins again, in other channels."""

PAUSE_SECONDS = 0.2
"""Between two sentences, as in Piper's own program."""

log = logging.getLogger(__name__)


@dataclass
class _Model:
    """One file and what belongs to it."""

    name: str
    file: VoiceFile
    graph: Graph
    ids: PhonemeIds
    reading: EspeakReading | TextReading
    program: espeak.Espeak | None
    unknown: Counter[str] = field(default_factory=Counter)
    """Phonemes of spoken texts that the model has no id for, and how often each was left out."""

    def sentences(self, text: str) -> Iterator[str]:
        """Yield the phonemes of each sentence."""
        if self.program is None:
            yield decompose(text)
        else:
            yield from read_sentences(text, self.program.read)


class OnnxEngine:
    """ONNX Runtime with one thread a call and as many calls at once as there are CPUs; all share a model's weights."""

    device = "cpu"
    max_batch_size = 1
    max_characters = MAX_PIECE_LENGTH
    streams = False
    reads_signs = False  # espeak-ng reads $3.50 as "dollar three point five zero", and % not at all in some languages
    pause_seconds = PAUSE_SECONDS
    languages: Sequence[str] = ()

    def __init__(self, options: EngineOptions) -> None:
        if options.model_dir is None:
            raise ModelInvalid("the onnx engine has no embedded voice: set model_dir to a published model")
        if options.precision not in {Precision.AUTO, Precision.FLOAT32}:
            message = f"onnx cannot run in {options.precision}: a voice has the precision of its file; set it to Auto"
            raise ModelInvalid(message)
        self._folder = options.model_dir
        self.parallelism = options.threads
        self.model_name = "piper"
        self._models: dict[str, tuple[_Model, int | None]] = {}
        self._counting = threading.Lock()

    def load(self) -> None:
        """Load every voice of the model folder."""
        models = [_load(path) for path in _files(self._folder)]
        rates = {model.file.audio.sample_rate: model.name for model in models}
        if len(rates) > 1:
            named = ", ".join(f"{name} {rate} Hz" for rate, name in rates.items())
            raise ModelInvalid(f"the voices of one model must have one sample rate, but here are {named}")
        voices = []
        for model in models:
            for name, speaker in _voice_names(model, alone=len(models) == 1).items():
                if name in self._models:
                    raise ModelInvalid(f"two voices are called {name}: rename one of the files")
                self._models[name] = (model, speaker)
                voices.append(Voice(name, model.file.language))
        self.voices: Sequence[Voice] = tuple(voices)
        self.sample_rate = models[0].file.audio.sample_rate
        self.revision = " ".join(f"{name}-{version(name)}" for name in ("onnxruntime", "numpy"))
        if any(model.program for model in models):
            self.revision += f" espeak-ng-{espeak.version()}"
        self.probe = Utterance(_probe_text(models[0].file), voices[0].name)

    def unspoken(self, utterance: Utterance) -> str:
        """Return what has no name in espeak-ng, or no id where the model reads characters."""
        return self._models[utterance.voice][0].reading.unspoken(utterance.text)

    def estimate_seconds(self, utterance: Utterance) -> float:
        """Estimate the phonemes of the text, and multiply them by their length."""
        model, _ = self._models[utterance.voice]
        return model.reading.count_phonemes(utterance.text) * _seconds_per_phoneme(model.file, utterance.speed)

    def synthesize(self, batch: Sequence[Utterance]) -> list[Audio]:
        """Speak each utterance whole."""
        return [np.concatenate([np.zeros(0, np.float32), *self.stream(utterance)]) for utterance in batch]

    def stream(self, utterance: Utterance) -> Iterator[Audio]:
        """Speak an utterance, in pieces that are short enough for the memory; nearly all are one piece."""
        model, speaker = self._models[utterance.voice]
        rng = np.random.default_rng(utterance.seed)
        for phonemes in self.parts(utterance):
            ids, unknown = model.ids.encode(phonemes)
            self._count_unknown(model, unknown)
            if len(phonemes) == len(unknown):
                continue
            scales = model.file.inference
            inputs = {
                "input": np.array([ids], np.int64),
                "input_lengths": np.array([len(ids)], np.int64),
                "scales": np.array(
                    [scales.noise_scale, scales.length_scale / utterance.speed, scales.noise_w], np.float32
                ),
            }
            if speaker is not None:
                inputs[SPEAKER] = np.array([speaker], np.int64)
            noises = {name: rng.standard_normal(NOISE_SAMPLES, np.float32) for name in model.graph.noises}
            audio: Audio = np.asarray(model.graph.run(inputs | noises), np.float32).reshape(-1)
            yield audio

    def parts(self, utterance: Utterance) -> Iterator[str]:
        """Yield the phonemes of an utterance, those of one inference at a time. Raises Unspeakable."""
        model, _ = self._models[utterance.voice]
        most = max(1, int(MAX_AUDIO_AT_ONCE / _seconds_per_phoneme(model.file, utterance.speed)))
        for sentence in model.sentences(utterance.text):
            yield from cut(sentence, most) if len(sentence) > most else [sentence]

    def encode(self, phonemes: str, voice: str) -> tuple[list[int], list[str]]:
        """Return the ids of a sentence's phonemes, and the phonemes that the voice has none for."""
        return self._models[voice][0].ids.encode(phonemes)

    def unknown_phonemes(self, voice: str) -> Mapping[str, int]:
        """Return the phonemes that a voice has left out since it was loaded, and how often."""
        with self._counting:
            return dict(self._models[voice][0].unknown)

    def peak_gpu_memory(self) -> None:
        """Return None: it uses no GPU."""

    def close(self) -> None:
        """Forget the voices."""
        self._models.clear()

    def _count_unknown(self, model: _Model, unknown: Sequence[str]) -> None:
        """Count phonemes without an id, and log each once: a voice may know too few for its language."""
        if not unknown:
            return
        with self._counting:
            new = sorted({*unknown} - model.unknown.keys())
            model.unknown.update(unknown)
        if new:
            codes = " ".join(f"U+{ord(each[0]):04X}" for each in new)
            log.warning(
                "the voice leaves out phonemes that it has no id for", extra={"voice": model.name, "phonemes": codes}
            )


def _files(folder: Path) -> list[Path]:
    # macOS packs a hidden file ._NAME beside each file.
    files = sorted(path for path in folder.glob("*.onnx") if path.is_file() and not path.name.startswith("."))
    if not files:
        below = sorted(folder.rglob("*.onnx"))
        where = f"; the first one below it is in {below[0].parent}" if below else ""
        raise ModelInvalid(f"there is no *.onnx file in {folder}: it has no voice of the engine onnx{where}")
    return files


def _load(path: Path) -> _Model:
    file = read_voice_file(path)
    ids = PhonemeIds(file.phoneme_id_map, file.vowel_clusters)
    program, reading = None, None
    if file.phoneme_type is PhonemeType.ESPEAK:
        program = espeak.Espeak(file.espeak.voice)
        program.check()
        try:
            reading = EspeakReading(program.read)
        except Unspeakable as error:
            raise ModelInvalid(f"{path.name} cannot be used with this espeak-ng: {error}") from error
    graph = Graph(path, speakers=file.num_speakers > 1)
    return _Model(path.stem, file, graph, ids, reading or TextReading(ids), program)


def _voice_names(model: _Model, *, alone: bool) -> Mapping[str, int | None]:
    """Name the voices: by the file, or by the speakers of the only file, or by both."""
    speakers = model.file.speakers
    if not speakers:
        return {model.name: None}
    return {name if alone else f"{model.name}-{name}": number for name, number in speakers.items()}


def _seconds_per_phoneme(file: VoiceFile, speed: float) -> float:
    return SECONDS_PER_PHONEME * file.inference.length_scale / speed + SECONDS_OF_ROUNDING


def _probe_text(file: VoiceFile) -> str:
    """Return about 30 characters that the voice speaks: numbers are read in every language."""
    if file.phoneme_type is PhonemeType.TEXT:
        letters = [each for each in file.phoneme_id_map if len(each) == 1 and each.isalpha()]
        return " ".join(letters[:15]) or "".join(set(file.phoneme_id_map) - {PAD, BEGIN, END})[:30]
    return "The worker is ready to speak." if file.language.startswith("en") else "1, 2, 3, 4, 5, 6, 7, 8, 9, 10."
