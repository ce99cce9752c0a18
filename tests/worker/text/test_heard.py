"""Which characters of a text a listener should hear."""
# ruff: noqa: RUF001 - the marks are intended

import pytest

from ttsworker.text import heard, is_plain, kinds

MARKS = " \n\t.,;:!?…'\"“”„«»‹›‘’()[]{}<>"[:-2] + "-–—_*/|`´•‣·¿¡、。「」！？"


def test_marks_and_white_space_are_not_heard() -> None:
    assert [*heard(MARKS)] == []


@pytest.mark.parametrize(
    "text", ["aÄß", "日本語", "Привет", "12٣", "½²", "#%&@", "+=<>~^", "$€£₹", "→←∞", "§°©™", "🙂"]
)
def test_letters_digits_and_symbols_are_heard(text: str) -> None:
    assert "".join(heard(text)) == text


def test_accents_of_their_own_and_joiners_are_not_heard() -> None:
    assert "".join(heard("x\u0301\u200d\ufe0f")) == "x"


@pytest.mark.parametrize("text", ["", 'Plain text, 12 words (or "more")!', "a_b * c/d\n[e]"])
def test_ascii_letters_digits_and_marks_are_plain(text: str) -> None:
    assert is_plain(text)


@pytest.mark.parametrize("text", ["a & b", "5%", "é", "a → b", "“Quoted”", "🙂"])
def test_texts_with_doubtful_characters(text: str) -> None:
    assert not is_plain(text)


def test_kinds_tell_scripts_and_symbols_but_not_the_text() -> None:
    assert kinds("日本日Приве→日🙂") == ["CJK", "CYRILLIC", "RIGHTWARDS ARROW", "SLIGHTLY SMILING FACE"]
    assert kinds("\ue000") == ["U+E000"]
    assert kinds("") == []


def test_a_log_line_has_few_kinds() -> None:
    assert len(kinds("日Пα→←↑↓אا🙂")) == 5
