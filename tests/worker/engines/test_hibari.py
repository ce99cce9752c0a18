"""The embedded voice; test_conformance.py has what holds for every engine."""
# ruff: noqa: RUF001 - the signs are intended

import re
import shutil
from pathlib import Path

import hibari.voices
import numpy as np
import pytest
from hibari.tts import MAX_PHONEMES
from hibari.voices import DEFAULT, voice_path
from hypothesis import given, settings
from hypothesis import strategies as st

from ttscontract.worker_config import MAX_SPEED, MIN_SPEED
from ttsworker.engines import EngineOptions, EngineUnavailable, ModelInvalid, Utterance, Voice, find_engine
from ttsworker.engines.hibari.engine import SECONDS_PER_PHONEME, HibariEngine
from ttsworker.engines.hibari.reading import LONGEST_RUN, LONGEST_WORD
from ttsworker.engines.protocol import MAX_AUDIO_AT_ONCE
from ttsworker.text import MAX_PIECE_LENGTH


@pytest.fixture(scope="module")
def engine() -> HibariEngine:
    loaded = find_engine("hibari")(EngineOptions())
    loaded.load()
    assert isinstance(loaded, HibariEngine)
    return loaded


def test_it_never_downloads_a_voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(*_: object) -> None:
        raise AssertionError("the library wanted to download")

    monkeypatch.setattr(hibari.voices, "download", download)
    shutil.copy(voice_path(DEFAULT), tmp_path / "bf_emma.int8.onnx")
    shutil.copy(voice_path(DEFAULT), tmp_path / "my-own.onnx")
    engine = HibariEngine(EngineOptions(tmp_path))
    engine.load()
    assert engine.voices == (Voice("emma", "en-GB"), Voice("my-own", "en-US"))
    [british, american] = engine.synthesize([Utterance("The lazy dance of tomatoes.", v.name) for v in engine.voices])
    assert not np.array_equal(british, american)


def test_as_many_calls_at_once_as_threads() -> None:
    assert HibariEngine(EngineOptions(threads=3)).parallelism == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1" * 36, "1" * 36),
        ("1" * 37, " ".join("1" * 37)),
        ("1,000,000", "1,000,000"),
        ("no " + "12," * 20 + "3", "no " + " ".join("12" * 20 + "3")),
        ("İstanbul", "Istanbul"),
    ],
)
def test_what_the_library_fails_on_is_rewritten(engine: HibariEngine, text: str, expected: str) -> None:
    assert engine.readings["heart"].rewrite(text) == expected
    assert len(engine.synthesize([Utterance(text, "heart")])[0]) > 2400


def test_a_folder_of_model_folders_is_told_from_a_model(tmp_path: Path) -> None:
    (tmp_path / "alba").mkdir()
    with pytest.raises(ModelInvalid, match=r"has no voice of the engine hibari$"):
        find_engine("hibari")(EngineOptions(tmp_path)).load()
    shutil.copy(voice_path(DEFAULT), tmp_path / "alba/alba.onnx")
    with pytest.raises(ModelInvalid, match=f"the first one below it is in {tmp_path}/alba$"):
        find_engine("hibari")(EngineOptions(tmp_path)).load()


def heard_by_its_phonemes(engine: HibariEngine, text: str) -> str:
    phonemes = "".join(engine.phonemes(text, "heart"))
    return "".join(phoneme for phoneme in phonemes if phoneme.isalpha() and phoneme not in "ˈˌ")


@pytest.mark.parametrize(
    ("text", "unspoken"),
    [
        ("It says 日本語 here.", "日本語"),
        ("ж and ы", "ж"),
        ("$HOME and € zone", "$€"),
        ("$5, € 5, ¥5 and ₹5", ""),
        ("5 ¥ and 100 ₹", "¥₹"),
        ("Widget™ ®", "™®"),
        ("⅓ cup, ½ cup", "⅓"),
        ("C:\\dir", "\\"),
        ("50 % & #1 @ 3 = 2 + 1 < 4", ""),
        ("٣ and ३", ""),
        ("⑴ one, ② two, 5❸", ""),
        ("naïve Łódź Straße", ""),
        ("“quoted” — marks… (all) [of] {them} • * | `x`", ""),
        ("x² and 5°", ""),
        ("♮ ☂ ∑ ∞ ≠", "♮☂∑∞≠"),
    ],
)
def test_it_says_what_its_phonemes_leave_out(engine: HibariEngine, text: str, unspoken: str) -> None:
    assert engine.unspoken(Utterance(text, "heart")) == unspoken
    spoken = text.translate(dict.fromkeys(map(ord, unspoken)))
    assert heard_by_its_phonemes(engine, spoken) == heard_by_its_phonemes(engine, text)


@pytest.mark.parametrize("sign", [*"$£€¥₹₩¢°§©®™→←×÷±µ½¼²³№√∞≈≤≥≠πΩßéñüøæжшя日本한א٣①⑴Ⅷ∑#&%@+=<>~^\\"])
def test_every_sign_is_heard_or_named(engine: HibariEngine, sign: str) -> None:
    """Judged by the phonemes, where the sign is a word of its own or stands before a number."""
    for before, after in (("two ", " cats"), ("the ", " and"), ("He has ", "5 of them")):
        text = f"{before}{sign}{after}"
        named = sign in engine.unspoken(Utterance(text, "heart"))
        without = heard_by_its_phonemes(engine, f"{before}{after}")
        assert named == (heard_by_its_phonemes(engine, text) == without), text


HOSTILE = [
    "#", "5%", "&", "@", "/x", "+", "a1", "x-", "a.b/", "aB", "1", "7", "777,777 ", "W", "<", ">", "=", "^", "~",
    "½", "²", "©", "→", "$5", "5kg ", "1999 ", "0.1", "1:2:", "1/2 ", "2024-01-05 ", "-5 ", "a", "ha", "zzzz ",
    "xq", "a'", "5'", "'", "я", "ñ", "Ω", "Ⅷ", "①", "⑴", "etc ", "aka ", "TBD ", "Dr. ", "w/o ", "10:30 ",
    "No. 5 ", "Jan 5 ", "$2m ", "$5 million ", "http ", "I'm ", "A.", "B2B ", "(a) ", "[a](/bæd/)", "[", "a_b_",
    "#1 ", "5° ", "be ", "mid-", "Ä", "ß", "&& ", "=>", "e1", "…a", "!a", "?!x", "“a”", "x\u0301",
]  # fmt: skip
"""Repeated up to the longest sentence, each is slow to read, long to hear, or was either before."""


def repeated(unit: str) -> str:
    return (unit * MAX_PIECE_LENGTH)[:MAX_PIECE_LENGTH].strip()


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("speed", [MIN_SPEED, 1.0, MAX_SPEED])
def test_no_inference_is_longer_than_the_bound(engine: HibariEngine, unit: str, speed: float) -> None:
    text = repeated(unit)
    parts = list(engine.parts(Utterance(text, "heart", speed=speed)))
    longest = max(map(len, parts), default=0)
    assert longest <= MAX_PHONEMES
    assert longest * SECONDS_PER_PHONEME / speed <= MAX_AUDIO_AT_ONCE
    whole = "".join("".join(engine.phonemes(text, "heart")).split())
    assert "".join("".join(parts).split()) == whole  # nothing is lost


@pytest.mark.parametrize("unit", HOSTILE)
def test_no_run_has_more_words_than_the_library_reads_in_time(engine: HibariEngine, unit: str) -> None:
    for run in engine.readings["heart"].rewrite(repeated(unit)).split():
        words = re.findall(r"[A-Z]+[^\W\d_A-Z]*|[^\W\d_A-Z]+|\d[\d.,]*|.", run)
        assert len(words) <= LONGEST_RUN
        assert all(len(word) <= LONGEST_WORD for word in words if word.isalpha())


@pytest.mark.parametrize("unit", HOSTILE)
def test_the_estimate_is_never_far_below_the_phonemes(engine: HibariEngine, unit: str) -> None:
    text = repeated(unit)
    phonemes = sum(map(len, engine.phonemes(text, "heart")))
    for speed in (MIN_SPEED, 1.0):
        estimate = engine.estimate_seconds(Utterance(text, "heart", speed=speed))
        assert estimate >= 0.7 * phonemes * SECONDS_PER_PHONEME / speed


A_SHORT_WORD = 4
"""Phonemes that the estimate may miss in all: "aB" has five, and counts as three."""

WORDS = st.sampled_from(
    [*(unit.strip() for unit in HOSTILE), "the", "Worker", "reads", "IMPORTANT", "xylograph", "1,250", "Kubernetes"]
)


@given(st.lists(WORDS, min_size=1, max_size=30))
@settings(max_examples=100, deadline=None)
def test_the_estimate_of_mixed_texts_is_never_far_below_the_phonemes(engine: HibariEngine, words: list[str]) -> None:
    text = " ".join(words)[:MAX_PIECE_LENGTH]
    phonemes = sum(map(len, engine.phonemes(text, "heart"))) - A_SHORT_WORD
    assert engine.estimate_seconds(Utterance(text, "heart")) >= 0.7 * phonemes * SECONDS_PER_PHONEME


SENTENCES = [
    "The quick brown fox jumps over the lazy dog, and nothing is as it was before.",
    "In 1999 about 250 people paid $9.99 each to hear it read at 7:30 pm.",
    "Kubernetes restarts the pod; its logs say why, and so does the status of the TTSService.",
    "“I don't know,” she said, “whether it's 5 km or 10 miles to Łódź.”",
    "NASA and the EU agreed on 20% more, i.e. €27 million, by March 3rd.",
]


@pytest.mark.parametrize("text", SENTENCES)
@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_the_estimate_is_close_to_the_audio(engine: HibariEngine, text: str, speed: float) -> None:
    utterance = Utterance(text, "heart", speed=speed)
    [audio] = engine.synthesize([utterance])
    assert 0.75 < engine.estimate_seconds(utterance) / (len(audio) / engine.sample_rate) < 1.5


def test_a_slow_text_of_signs_is_spoken_in_pieces_that_fit_the_memory(engine: HibariEngine) -> None:
    pieces = list(engine.stream(Utterance("#" * 40, "heart", speed=MIN_SPEED)))
    seconds = [len(piece) / engine.sample_rate for piece in pieces]
    assert sum(seconds) > 60
    assert max(seconds) < 1.4 * MAX_AUDIO_AT_ONCE


def test_a_long_word_is_read_to_its_end(engine: HibariEngine) -> None:
    long = "donaudampfschifffahrtsgesellschaft"
    beginning, whole = (heard_by_its_phonemes(engine, text) for text in (long[:LONGEST_WORD], long))
    assert whole.startswith(beginning)
    assert len(whole) > len(beginning) + 5
    known = "pneumonoultramicroscopicsilicovolcanoconiosis"
    assert engine.readings["heart"].rewrite(known) == known


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        ("Stop!!!!!!!! Now", "Stop!!! Now"),
        ("Well........ yes", "Well... yes"),
        ("What?!?!?!?!", "What?!?"),
        ("Wait . . . . . go", "Wait ... go"),
        ("Yes... No!!! Why?", "Yes... No!!! Why?"),
        ("a" * 30, "a" * 24 + " " + "a" * 6),
        ("&" * 20, "&" * 16 + " " + "&" * 4),
        ("state-of-the-art-and-more", "state-of-the-art-and-more"),
        ("kubectl.kubernetes.io/last-applied", "kubectl.kubernetes.io/last-applied"),
        ("5①", "5 1 "),
    ],
)
def test_repeated_marks_and_runs_without_a_space_are_bounded(engine: HibariEngine, text: str, rewritten: str) -> None:
    assert engine.readings["heart"].rewrite(text) == rewritten


def test_an_onnx_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    shutil.copy(Path(hibari.voices.ASSETS) / "oov.onnx", tmp_path / "oov.onnx")
    with pytest.raises(ModelInvalid, match="not a hibari voice"):
        HibariEngine(EngineOptions(tmp_path)).load()


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(EngineUnavailable, match="the engines are coqui, hibari"):
        find_engine("festival")
