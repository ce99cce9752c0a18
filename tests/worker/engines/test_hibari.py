"""The embedded voice."""
# ruff: noqa: RUF001 - the signs are intended

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import hibari.voices
import numpy as np
import pytest
from hibari import Hibari
from hibari.voices import DEFAULT, voice_path

from ttsworker.engines import Engine, EngineOptions, EngineUnavailable, ModelInvalid, Utterance, Voice, find_engine
from ttsworker.engines.hibari.engine import HibariEngine, readable


@pytest.fixture(scope="module")
def engine() -> HibariEngine:
    loaded = find_engine("hibari")(EngineOptions())
    loaded.load()
    assert isinstance(loaded, HibariEngine)
    return loaded


def test_it_speaks_as_the_library_does(engine: Engine) -> None:
    [ours] = engine.synthesize([Utterance("Hello from the cluster.", "heart", speed=1.3, seed=7)])
    theirs = Hibari()("Hello from the cluster.", speed=1.3, seed=7)
    assert np.array_equal(ours, theirs)


def test_the_same_utterance_gives_the_same_audio_alone_and_with_others(engine: Engine) -> None:
    one, other = Utterance("First.", "heart"), Utterance("Second.", "heart")
    together = engine.synthesize([one, other])
    assert np.array_equal(together[0], np.concatenate(list(engine.stream(one))))
    assert np.array_equal(together[1], engine.synthesize([other])[0])


def test_calls_at_once_give_the_same_audio_as_one_after_another(engine: Engine) -> None:
    utterances = [
        Utterance(f"On the {number}th of May 19{number:02}, nobody knew why.", "heart") for number in range(24)
    ]
    with ThreadPoolExecutor(4) as threads:
        at_once = list(threads.map(lambda utterance: engine.synthesize([utterance])[0], utterances))
    for utterance, audio in zip(utterances, at_once, strict=True):
        assert np.array_equal(audio, engine.synthesize([utterance])[0])


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
def test_what_the_library_fails_on_is_rewritten(engine: Engine, text: str, expected: str) -> None:
    assert readable(text) == expected
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


def test_an_onnx_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    shutil.copy(Path(hibari.voices.ASSETS) / "oov.onnx", tmp_path / "oov.onnx")
    with pytest.raises(ModelInvalid, match="not a hibari voice"):
        HibariEngine(EngineOptions(tmp_path)).load()


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(EngineUnavailable, match="the engines are coqui, hibari"):
        find_engine("festival")
