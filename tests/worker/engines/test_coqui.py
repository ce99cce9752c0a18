"""The Coqui engine against Coqui's own Synthesizer, on tiny voices of random weights.

test_conformance.py has what holds for every engine.
"""

import asyncio
import io
import json
import wave
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
import pytest

from tests.support.worker.serving import worker_process
from ttscontract.worker_config import MIN_SPEED
from ttsworker.engines import Engine, EngineOptions, ModelInvalid, Utterance, Voice, find_engine
from ttsworker.engines.coqui.engine import PAUSE_SAMPLES, _probe_text
from ttsworker.engines.coqui.reading import Reading
from ttsworker.engines.protocol import MAX_AUDIO_AT_ONCE
from ttsworker.models.store import build_manifest, write_manifest

TEXT = "hello from the cluster."
SPEAKERS = ("anna", "ben", "carl")

# torch and Coqui warn about themselves when they are imported and when they load a checkpoint.
pytestmark = pytest.mark.filterwarnings("ignore::Warning")


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.support.worker import tiny_vits  # noqa: PLC0415 - imports torch, which takes seconds

    folder = tmp_path_factory.mktemp("coqui")
    tiny_vits.write(folder / "single")
    tiny_vits.write(folder / "several", SPEAKERS)
    return folder


def load(folder: Path, **options: Any) -> Engine:
    engine = find_engine("coqui")(EngineOptions(folder, **options))
    engine.load()
    return engine


@pytest.fixture(scope="module")
def engine(checkpoints: Path) -> Engine:
    return load(checkpoints / "single")


def synthesizer(folder: Path) -> Any:
    from TTS.utils.synthesizer import Synthesizer  # noqa: PLC0415 - imports torch, which takes seconds

    return Synthesizer(tts_checkpoint=folder / "model_file.pth", tts_config_path=folder / "config.json")


def speak(engine: Engine, text: str = TEXT, voice: str = "default", **more: Any) -> npt.NDArray[np.float32]:
    return engine.synthesize([Utterance(text, voice, **more)])[0]


@pytest.mark.parametrize("seed", [0, 42])
def test_it_equals_coquis_own_synthesizer(checkpoints: Path, engine: Engine, seed: int) -> None:
    import torch  # noqa: PLC0415 - takes seconds

    coqui = synthesizer(checkpoints / "single")
    torch.manual_seed(seed)
    theirs = np.array(coqui.tts(TEXT), np.float32)
    assert np.array_equal(theirs[-PAUSE_SAMPLES:], np.zeros(PAUSE_SAMPLES))
    assert np.array_equal(theirs[:-PAUSE_SAMPLES], speak(engine, seed=seed))
    assert engine.pause_seconds * engine.sample_rate == PAUSE_SAMPLES


def test_another_seed_sounds_otherwise(engine: Engine) -> None:
    first, other = speak(engine), speak(engine, seed=1)
    assert not np.array_equal(first[: len(other)], other[: len(first)])


def test_every_speaker_has_a_voice(checkpoints: Path) -> None:
    """Also where speakers.pth is named by a path of another machine."""
    several = load(checkpoints / "several")
    assert several.voices == tuple(Voice(name, "en") for name in SPEAKERS)


@pytest.mark.parametrize("text", ["日本語", "123"])
def test_a_text_without_a_known_character_gives_nothing(engine: Engine, text: str) -> None:
    assert len(speak(engine, text)) == 0


@pytest.mark.parametrize(
    ("text", "unspoken"),
    [
        (TEXT, ""),
        ("HELLO (there): 'yes'; no?", ""),
        ("hello 日本 and 42", "日本42"),
        ("café & tea", "é&"),
        ("“quoted” — and •", ""),
        ("a → b", "→"),
    ],
)
def test_it_says_what_its_tokenizer_drops(engine: Engine, text: str, unspoken: str) -> None:
    assert engine.unspoken(Utterance(text, "default")) == unspoken


class Tokenizer:
    """What the engine reads of Coqui's tokenizer, with a cleaner of Coqui's own."""

    def __init__(self, cleaner: Any = None, phonemizer: Any = None) -> None:
        self.text_cleaner, self.phonemizer = cleaner, phonemizer
        self.characters = self
        self.vocab, self.blank_id = [*"abcdefghijklmnopqrstuvwxyz ,.!?", "<BLNK>"], 31


@pytest.mark.parametrize(
    ("cleaner", "text", "unspoken"),
    [
        ("english_cleaners", "It cost $5 & 20%.", "%"),
        ("english_cleaners", "$HOME", "$"),
        ("english_cleaners", "café", "é"),
        ("english_cleaners", "a < b > c", "<>"),
        ("phoneme_cleaners", "5 → 6", "→"),
        ("multilingual_cleaners", "日本 ok", "日本"),
        ("basic_cleaners", "5 ok", "5"),
    ],
)
def test_what_a_cleaner_writes_out_is_spoken(cleaner: str, text: str, unspoken: str) -> None:
    from TTS.tts.utils.text import cleaners  # noqa: PLC0415 - imports torch, which takes seconds

    assert Reading(Tokenizer(getattr(cleaners, cleaner))).unspoken(text, "en") == unspoken


class Phonemizer:
    """Names some symbols, as eSpeak does."""

    def phonemize(self, text: str, separator: str, language: str | None) -> str:
        assert separator == ""
        assert language is None
        return {"&": "ænd", "%": "pɚsɛnt"}.get(text, "")


def test_a_phonemizer_is_asked_for_its_symbols_and_has_every_letter() -> None:
    reading = Reading(Tokenizer(phonemizer=Phonemizer()))
    assert reading.unspoken("5 % & 日本 → x ∑", None) == "→∑"
    assert reading.has_tokens("日", None)
    assert reading.has_tokens("&", None)
    assert not reading.has_tokens("→ …", None)


@pytest.mark.parametrize("speed", [MIN_SPEED, 1.0])
def test_a_slow_text_is_spoken_in_pieces_that_fit_the_memory(engine: Engine, speed: float) -> None:
    utterance = Utterance("one word and another one " * 10, "default", speed=speed)
    pieces = list(engine.stream(utterance))
    seconds = [len(piece) / engine.sample_rate for piece in pieces]
    assert max(seconds) <= MAX_AUDIO_AT_ONCE
    assert (len(pieces) > 1) == (speed < 1)
    assert np.array_equal(np.concatenate(pieces), engine.synthesize([utterance])[0])
    assert 0.5 < engine.estimate_seconds(utterance) / sum(seconds) < 2


class CountingTokenizer(Tokenizer):
    """Writes every digit in twelve letters, as a cleaner may."""

    def text_to_ids(self, text: str, language: str | None) -> list[int]:  # noqa: ARG002 - as Coqui calls it
        return [1] * (len(text) + 11 * sum(map(str.isdigit, text)))


@pytest.mark.parametrize("text", ["7" * 250, "7 " * 125, "a" * 240 + "7" * 10, "a" * 250, "#" * 250, "7"])
def test_no_part_has_too_many_tokens(text: str) -> None:
    tokenizer = CountingTokenizer(lambda text, lang: text.replace("7", "seventy-four"))  # noqa: ARG005
    reading = Reading(tokenizer)
    parts = list(reading.parts(text, None, 112))
    assert "".join(parts).replace(" ", "") == text.replace(" ", "")
    assert max(len(tokenizer.text_to_ids(part, None)) for part in parts) <= 112
    assert reading.estimate_tokens(text) >= len(tokenizer.text_to_ids(text, None))


@pytest.mark.parametrize("precision", ["Float16", "BFloat16"])
def test_half_precision_of_the_decoder_sounds_the_same(checkpoints: Path, engine: Engine, precision: Any) -> None:
    full, half = speak(engine), speak(load(checkpoints / "single", precision=precision))
    assert len(full) == len(half)
    assert not np.array_equal(full, half)
    assert np.abs(full - half).max() < 0.01


def test_the_number_of_threads_is_kept_in_the_engines_threads(checkpoints: Path) -> None:
    import torch  # noqa: PLC0415 - takes seconds

    load(checkpoints / "single", threads=1)
    assert asyncio.run(asyncio.to_thread(torch.get_num_threads)) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (lambda folder: (folder / "config.json").write_text("{}"), "cannot load"),
        (lambda folder: (folder / "model_file.pth").unlink(), "no checkpoint beside"),
        (lambda folder: (folder / "model_file.pth").write_bytes(b"not a checkpoint"), "cannot load"),
        (lambda folder: set_model(folder, "tacotron2"), "type is tacotron2, but this engine runs only vits"),
    ],
)
def test_what_is_no_vits_is_refused(checkpoints: Path, tmp_path: Path, change: Any, message: str) -> None:
    for path in (checkpoints / "single").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    change(tmp_path)
    with pytest.raises(ModelInvalid, match=message) as error:
        load(tmp_path)
    assert "\n" not in str(error.value)


def set_model(folder: Path, name: str) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({"model": name, "audio": config["audio"]}))


def test_a_published_checkpoint_is_served(checkpoints: Path, engine: Engine) -> None:
    folder = checkpoints / "single"
    write_manifest(folder, build_manifest(folder, source="https://example.org/vits.tar"))
    with worker_process({"TTSWORKER_ENGINE": "coqui", "TTSWORKER_MODEL_DIR": str(folder)}) as worker:
        worker.wait_for("ready")
        with httpx.Client(base_url=worker.url, timeout=60) as client:
            wav = client.get("/api/tts", params={"text": "first one. second one."}).content
            pcm = client.post("/v1/audio/speech", json={"input": TEXT, "response_format": "pcm"}).content
        assert worker.terminate() == 0
    pause = np.zeros(PAUSE_SAMPLES, np.float32)
    expected = np.concatenate([speak(engine, "first one."), pause, speak(engine, "second one.")])
    with wave.open(io.BytesIO(wav)) as audio:
        assert audio.getframerate() == engine.sample_rate == 22_050
        heard = np.frombuffer(audio.readframes(audio.getnframes()), "<i2")
    assert np.abs(heard - (expected * 32767)).max() < 8  # torch's sums differ in their last bits with the thread count
    assert abs(len(pcm) / 2 - len(speak(engine)) * 24_000 / 22_050) < 2


@pytest.mark.parametrize(
    ("language", "tests", "probe"),
    [
        ("en", ["What it was tested with."], "The worker is ready to speak."),
        (
            "de",
            [["Das ist ein etwas längerer Satz.", "anna", None, "de"], ["Guten Tag.", "anna", None, "de"]],
            "Guten Tag.",
        ),
        ("fr-fr", ["Bonjour à tout le monde.", "Bonjour."], "Bonjour."),
        ("und", [], "The worker is ready to speak."),
    ],
)
def test_the_test_sentence_is_a_short_one_of_the_models_language(language: str, tests: list[Any], probe: str) -> None:
    assert _probe_text({"test_sentences": tests}, language) == probe


def test_the_gpus_peak_memory_is_torchs(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no GPU here: what torch would say of one is put in its mouth."""
    import torch  # noqa: PLC0415 - takes seconds

    assert engine.peak_gpu_memory() is None
    monkeypatch.setattr(engine, "device", "cuda")
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda: 3 * 2**30)
    assert engine.peak_gpu_memory() == 3 * 2**30
