"""The program espeak-ng, and what is made of its phonemes."""
# ruff: noqa: RUF001 - the marks and phonemes are intended

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttsworker.engines import ModelInvalid, Unspeakable
from ttsworker.engines.onnx import espeak
from ttsworker.engines.onnx.espeak import MAX_LINE, MOST_TEXTS, Espeak
from ttsworker.engines.onnx.phonemes import PhonemeIds, clauses, read_sentences
from ttsworker.engines.onnx.voice_file import language_tag

ENGLISH = Espeak("en-us")


def sentences(text: str, voice: str = "en-us") -> list[str]:
    return list(read_sentences(text, Espeak(voice).read))


# Clauses as the phonemizer of piper-tts 1.8.0 reads them. It differs where a full stop ends no sentence: behind "Dr."
# it has a full stop too, and behind "..." nothing, where ours have nothing and a comma.
PIPERS = [
    ("Hello there, my friend.", ["həlˈoʊ ðˈɛɹ, maɪ fɹˈɛnd."]),
    ("How are you?", ["hˈaʊ ɑːɹ juː?"]),
    ("Fine!", ["fˈaɪn!"]),
    ("yes; so: this – that — end", ["jˈɛs; sˈoʊ: ðˈɪs; ðˈæt; ˈɛnd"]),
    ("these (in brackets) “quoted”", ["ðiːz ɪn bɹˈækɪts kwˈoʊɾᵻd"]),
    ("a-b; (c, d), e", ["ˈeɪbˈiː; sˈiː, dˈiː, ˈiː"]),
    ("Hello", ["həlˈoʊ"]),
    ("One.Two", ["wˈʌn dˈɑːt tˈuː"]),
    ("He said “stop!” and left.", ["hiː sˈɛd stˈɑːp!", "ænd lˈɛft."]),
    ("a,b", ["ɐ bˈiː"]),
    ("x :y", ["ˈɛks kˈoʊlən wˈaɪ"]),
    ("one\ntwo", ["wˈʌn tˈuː"]),
    ("'tis, isn't it", ["tˈɪz, ˈɪzənt ɪt"]),
    ("a / b • c", ["ɐ slˈæʃ bˈiː sˈiː"]),
    (", hi", ["hˈaɪ"]),
    ("etc. and U.S. troops", ["ɛtsˈɛtɹə ænd jˌuːˈɛs tɹˈuːps"]),
]


@pytest.mark.parametrize(("text", "expected"), PIPERS)
def test_it_reads_as_piper_does(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dr. Smith paid $3.50, or 1,000 euros.", [("Dr. Smith paid $3.50", ","), ("or 1,000 euros", ".")]),
        ("No... yes… well", [("No", ","), ("yes", ","), ("well", "")]),
        ("What?! Now!!!", [("What", "?"), ("Now", "!")]),
        ("日本、東京。はい", [("日本", ","), ("東京", "."), ("はい", "")]),
        ("هل؟ نعم، لا", [("هل", "?"), ("نعم", ","), ("لا", "")]),
        ("At 7:30, word—word", [("At 7:30", ","), ("word—word", "")]),
        ("", []),
        ("  ", []),
    ],
)
def test_a_text_is_cut_at_its_marks(text: str, expected: list[tuple[str, str]]) -> None:
    assert list(clauses(text)) == expected


def test_words_of_another_language_have_no_flags() -> None:
    assert "(" not in "".join(sentences("hello bonjour", "fr-fr"))


def test_a_text_of_marks_has_no_phonemes() -> None:
    assert sentences("!!! ... ?") == []


@pytest.mark.parametrize("voice", ["en-us", "de", "cmn", "ar", "hi"])
def test_many_texts_keep_their_places(voice: str) -> None:
    """cmn repeats and leaves out the ends of some."""
    texts = [*"■□▲▼★☆ⅠⅡ①&%x7", "one. two. three", "", "\n", "mnmnmnmnmn", "end"]
    read = Espeak(voice).read(texts)
    assert len(read) == len(texts)
    assert read[-1] == Espeak(voice).read(["end"])[0]
    assert read[-4] == read[-3] == []


HOSTILE = [
    "[[mmmmmmmmmm]]", "[[[mmmmmmmmmm]]", "[[nnnnnnnnnn", "-f /etc/passwd", "--help", "-v de", "\x00", "\x01 +10S",
    "a\x00b", "a\u2028b", "\x1b[0m", "\ud800", "<speak>", "&lt;", "`id`", "$(id)", "\r\n-w /tmp/x.wav",
    "a" * 2000, "é" * 2000,
    "日" * 1200, "😀" * 600, "A." * 125, ".a" * 125, "'s" * 125, "é." * 125,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_no_text_is_a_command_or_takes_the_place_of_another(text: str) -> None:
    [_, end] = ENGLISH.read([text, "end"])
    assert end == ["ˈɛnd"]
    assert all("mmmmmmmm" not in clause and "nnnnnnnn" not in clause for clause in ENGLISH.read([text])[0])


@given(st.text(max_size=100))
@settings(max_examples=60, deadline=None)
def test_any_text_keeps_its_place(text: str) -> None:
    assert ENGLISH.read([text, "end"])[1] == ["ˈɛnd"]


def test_a_line_is_never_longer_than_the_program_reads_at_once() -> None:
    assert MAX_LINE * 4 < 999
    with pytest.raises(ValueError, match="more than"):
        ENGLISH.read(["a"] * (MOST_TEXTS + 1))


def fake(folder: Path, script: str) -> str:
    program = folder / "espeak-ng"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(folder)


def test_a_program_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", fake(tmp_path, "exec /bin/sleep 60"))
    monkeypatch.setattr(espeak, "TIMEOUT_SECONDS", 0.2)
    with pytest.raises(Unspeakable, match=r"did not read this text within 0\.2 s"):
        ENGLISH.read(["a"])


def test_a_text_that_ends_the_program_is_read_again_with_spaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", fake(tmp_path, 'read -r line; case $line in *" "*) echo "$line";; *) kill -9 $$;; esac'))
    assert ENGLISH.read(["a." * 20]) == [[]]  # it ended no text, but it lived
    with pytest.raises(Unspeakable, match="cannot read this text; it ended with -9"):
        ENGLISH.read(["short"])


@pytest.mark.parametrize("voice", ["", "-w", "--help", "en us", "../x", "/etc/passwd", "en;id", "x" * 99, "en\n"])
def test_a_voice_is_no_option_and_no_path(voice: str) -> None:
    with pytest.raises(ModelInvalid, match="no voice of espeak-ng"):
        Espeak(voice)


IDS = {"_": [0], "^": [1], "$": [2], " ": [3], "a": [14], "ˈ": [120], "ai": [161], "i": [21]}


def test_ids_stand_between_pads_begin_and_end() -> None:
    assert PhonemeIds(IDS).encode("ˈai a") == ([1, 0, 120, 0, 14, 0, 21, 0, 3, 0, 14, 0, 2], [])
    assert PhonemeIds(IDS).encode("a?a") == ([1, 0, 14, 0, 14, 0, 2], ["?"])
    assert PhonemeIds(IDS).encode("") == ([1, 0, 2], [])
    assert PhonemeIds({**IDS, "a": [7, 8]}).encode("a") == ([1, 0, 7, 8, 0, 2], [])


def test_vowels_that_the_model_knows_together_are_one() -> None:
    assert PhonemeIds(IDS, [["a", "i"]]).encode("aia") == ([1, 0, 161, 0, 14, 0, 2], [])


@pytest.mark.parametrize(
    ("voice", "tag"),
    [
        ("en-us", "en-US"), ("en", "en"), ("en-gb-x-rp", "en-GB-x-rp"), ("pt-br", "pt-BR"), ("es-419", "es-419"),
        ("cmn", "cmn"), ("cmn-latn-pinyin", "cmn-Latn-pinyin"), ("de+f3", "de"), ("fr-FR", "fr-FR"), ("en_US", "en-US"),
        ("vi-vn-x-south", "vi-VN-x-south"),
        ("kok", "kok"),
    ],
)  # fmt: skip
def test_a_voice_of_espeak_is_a_language(voice: str, tag: str) -> None:
    assert language_tag(voice) == tag
    assert re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]+)*", tag)
