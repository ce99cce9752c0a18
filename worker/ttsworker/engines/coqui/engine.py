"""VITS voices in Coqui's native format (config.json and a checkpoint), run by coqui-tts on torch.

Differences from Coqui's own Synthesizer: its 10,000 zeros come between two sentences but not after the last one; each
sentence is seeded by itself, so that it sounds the same alone and in a text; `speed` has its effect, by the model's
length scale; and silence is not trimmed, which Coqui's code cannot do for VITS either.

torch and TTS are imported in `load` only: they take seconds, and the small image does not have them.
"""

import importlib.util
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ttscontract.engines import Precision
from ttsworker.engines import Audio, EngineOptions, EngineUnavailable, GpuUnavailable, ModelInvalid
from ttsworker.engines.coqui.configuration import read_config
from ttsworker.engines.coqui.reading import Reading
from ttsworker.engines.protocol import MAX_AUDIO_AT_ONCE, Utterance, Voice
from ttsworker.observe.gpu import GpuMonitor
from ttsworker.text import MAX_PIECE_LENGTH

PAUSE_SAMPLES = 10_000
"""Zeros between two sentences, as in TTS.utils.synthesizer."""

CHECKPOINT_NAMES = ("model_file.pth", "model.pth", "checkpoint.pth", "best_model.pth", "model_file.pth.tar")
"""What Coqui's tools call a checkpoint."""

SINGLE_VOICE = "default"

TOKENS_PER_SECOND = 15
"""Of read speech at normal speed."""

_SEEDED = threading.Lock()
"""Held from seeding torch's random numbers to their use: they are the process's, and two models may be in memory."""

log = logging.getLogger(__name__)


class CoquiEngine:
    """One model; its length scale and torch's random numbers are shared state, so that calls go one after another."""

    parallelism = 1
    max_batch_size = 1
    max_characters = MAX_PIECE_LENGTH
    reads_signs = False
    streams = False

    def __init__(self, options: EngineOptions) -> None:
        if options.model_dir is None:
            raise ModelInvalid("the coqui engine has no embedded voice: set model_dir to a published model")
        self._folder = options.model_dir
        self._threads = options.threads
        self._precision = options.precision
        self._model: Any = None
        self.model_name = "vits"

    def load(self) -> None:
        """Load the checkpoint, on the GPU where there is one."""
        if not all(importlib.util.find_spec(name) for name in ("torch", "TTS")):
            raise EngineUnavailable("the coqui engine is not in this image: use the one whose tag ends in -coqui")
        # Threads of OpenMP that wait for work spin otherwise, and with a CPU limit they spin the work's own time away.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        import torch  # noqa: PLC0415 - see the module's docstring

        logging.getLogger("TTS").setLevel(logging.ERROR)  # below that it writes the texts it speaks
        torch.set_num_threads(self._threads)
        self.device = _choose_device()
        self._model, config = _load_vits(self._folder)
        if self._precision in {Precision.FLOAT16, Precision.BFLOAT16}:
            _lower_decoder(self._model, torch.float16 if self._precision is Precision.FLOAT16 else torch.bfloat16)
        self._model.to(self.device)
        self._length_scale: float = self._model.length_scale
        self.sample_rate: int = config.audio.get("output_sample_rate") or config.audio["sample_rate"]
        self.pause_seconds = PAUSE_SAMPLES / self.sample_rate
        self.revision = f"coqui-tts-{version('coqui-tts')} torch-{version('torch')} {self.device} {self._precision}"
        self._describe(config)
        self._reading = Reading(self._model.tokenizer)

    def unspoken(self, utterance: Utterance) -> str:
        """Return what Coqui's tokenizer drops."""
        return self._reading.unspoken(utterance.text, utterance.language)

    def estimate_seconds(self, utterance: Utterance) -> float:
        """Estimate the tokens of the text, and divide them by the speed."""
        return self._reading.estimate_tokens(utterance.text) / (TOKENS_PER_SECOND * utterance.speed)

    def synthesize(self, batch: Sequence[Utterance]) -> list[Audio]:
        """Speak each utterance whole."""
        return [np.concatenate([np.zeros(0, np.float32), *self.stream(utterance)]) for utterance in batch]

    def stream(self, utterance: Utterance) -> Iterator[Audio]:
        """Speak an utterance, in pieces that are short enough for the memory; nearly all are one piece."""
        most = max(1, int(MAX_AUDIO_AT_ONCE * TOKENS_PER_SECOND * utterance.speed))
        for text in self._reading.parts(utterance.text, utterance.language, most):
            yield self._speak(replace(utterance, text=text))

    def peak_gpu_memory(self) -> int | None:
        """Return what torch has reserved at most; None without a GPU."""
        import torch  # noqa: PLC0415 - see the module's docstring

        return int(torch.cuda.max_memory_reserved()) if self.device == "cuda" else None

    def close(self) -> None:
        """Forget the model."""
        self._model = None

    def _speak(self, utterance: Utterance) -> Audio:
        import torch  # noqa: PLC0415 - see the module's docstring

        model = self._model
        with _SEEDED:
            if not self._reading.has_tokens(utterance.text, utterance.language):
                return np.zeros(0, np.float32)
            torch.manual_seed(utterance.seed)
            model.length_scale = self._length_scale / utterance.speed
            language = utterance.language or (self.languages[0] if self.languages else None)
            speaker = utterance.voice if len(self.voices) > 1 else None
            result = model.synthesize(text=utterance.text, speaker=speaker, language=language)
        audio: Audio = np.asarray(result["wav"], np.float32).reshape(-1)
        return audio

    def _describe(self, config: Any) -> None:
        languages = list(self._model.language_manager.language_names)
        self.languages: Sequence[str] = languages if len(languages) > 1 else ()
        manager = self._model.speaker_manager
        names = list(manager.speaker_names or manager.embedding_names) if manager else []
        language = languages[0] if languages else "und"
        self.voices: Sequence[Voice] = tuple(Voice(name, language) for name in names or [SINGLE_VOICE])
        self.probe = Utterance(_probe_text(config, language), self.voices[0].name)


def find_checkpoint(folder: Path) -> tuple[Path, Path]:
    """Return the nearest config.json below the folder and the checkpoint beside it; raises ModelInvalid."""
    found = (path for path in folder.rglob("config.json") if path.is_file())
    configs = sorted(found, key=lambda path: (len(path.parts), path))
    if not configs:
        raise ModelInvalid(f"there is no config.json in {folder}: it has no model of the engine coqui")
    beside = configs[0].parent
    for name in CHECKPOINT_NAMES:
        if (beside / name).is_file():
            return configs[0], beside / name
    raise ModelInvalid(
        f"there is no checkpoint beside {configs[0]}: its name must be one of {', '.join(CHECKPOINT_NAMES)}"
    )


def _load_vits(folder: Path) -> tuple[Any, Any]:
    config_path, checkpoint = find_checkpoint(folder)
    options = read_config(config_path)
    if "model" not in options:
        raise ModelInvalid(f"Coqui cannot load {config_path}: it does not say which model it is")
    if (kind := options["model"]) != "vits":
        raise ModelInvalid(f"the model's type is {kind}, but this engine runs only vits")
    from TTS.config import register_config  # noqa: PLC0415 - see the module's docstring
    from TTS.tts.models import setup_model  # noqa: PLC0415

    try:
        config: Any = register_config("vits")()
        config.from_dict(options)
        model = setup_model(config)
        model.load_checkpoint(config, checkpoint, eval=True)
    except Exception as error:  # whatever Coqui and torch raise for files they do not understand
        reason = (str(error).splitlines() or [""])[0]
        raise ModelInvalid(f"Coqui cannot load {checkpoint}: {type(error).__name__}: {reason}") from error
    for unused in ("disc", "posterior_encoder"):  # for training and for converting voices
        if hasattr(model, unused):
            delattr(model, unused)
    return model, config


def _lower_decoder(model: Any, dtype: Any) -> None:
    """Run the decoder, nine tenths of the work, in half precision; the durations' splines fail in it."""
    decoder = model.waveform_decoder.to(dtype)

    def lower(_: object, positional: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, Any]:
        named = {name: value if value is None else value.to(dtype) for name, value in named.items()}
        return tuple(value.to(dtype) for value in positional), named

    decoder.register_forward_pre_hook(lower, with_kwargs=True)
    decoder.register_forward_hook(lambda _module, _inputs, output: output.float())


def _choose_device() -> str:
    """Return cuda where torch can use it; raises GpuUnavailable where there is a GPU that it cannot use."""
    import torch  # noqa: PLC0415 - see the module's docstring

    if torch.cuda.is_available():
        return "cuda"
    monitor = GpuMonitor()
    try:
        figures = monitor.read()
    finally:
        monitor.close()
    if monitor.problem:
        raise GpuUnavailable(monitor.problem)
    if figures:
        message = f"torch {torch.__version__} cannot use the GPU {figures.name} (driver {figures.driver_version})"
        raise GpuUnavailable(f"{message}: update the driver, or use an image with an older CUDA")
    return "cpu"


def _probe_text(config: Any, language: str) -> str:
    """Return a short sentence of the model's language: for others than English the shortest it was tested with."""
    tests = config.get("test_sentences") or []
    if language.startswith("en") or not tests:
        return "The worker is ready to speak."
    return min((str(test if isinstance(test, str) else test[0]) for test in tests), key=len)
