"""The splitter loses nothing, doubles nothing and keeps its bound; the mask hides the middle."""
# ruff: noqa: RUF001 - the marks of other scripts are meant

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsworker.text import MAX_PIECE_LENGTH, mask, split_sentences

PROSE = st.text(
    st.one_of(st.sampled_from("ab Zé.!?…,;:—\n\t\"'”)。！、3"), st.characters(exclude_categories=["Cs"])),
    max_size=300,
)


def without_space(text: str) -> str:
    return re.sub(r"\s", "", text)


@given(text=PROSE, max_length=st.integers(1, 60))
def test_nothing_is_lost_or_doubled_and_every_piece_is_bounded(text: str, max_length: int) -> None:
    pieces = split_sentences(text, max_length)
    assert without_space("".join(pieces)) == without_space(text)
    assert all(0 < len(piece) <= max_length and piece == piece.strip() for piece in pieces)


@given(words=st.lists(st.text(st.characters(categories=["L"]), min_size=1, max_size=20), min_size=1, max_size=80))
def test_words_that_fit_stay_whole(words: list[str]) -> None:
    pieces = split_sentences(" ".join(words), 40)
    assert [word for piece in pieces for word in piece.split()] == " ".join(words).split()


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        (" \n\t ", []),
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        (
            "Dr. Smith paid 3.50 to J. R. Hill, e.g. in cash. He left.",
            [
                "Dr. Smith paid 3.50 to J. R. Hill, e.g. in cash.",
                "He left.",
            ],
        ),
        ("He said no. She left.", ["He said no.", "She left."]),
        ('"Stop!" he said. (Really.) Yes.', ['"Stop!"', "he said.", "(Really.)", "Yes."]),
        ("今日は。元気ですか？はい", ["今日は。", "元気ですか？", "はい"]),
        ("नमस्ते। कैसे हो?", ["नमस्ते।", "कैसे हो?"]),
        ("A heading\n\nThe text\nof one line", ["A heading", "The text\nof one line"]),
        ("Wait. . . what?", ["Wait. . .", "what?"]),
        ("Well... fine.", ["Well...", "fine."]),
    ],
)
def test_sentences_end_where_a_reader_says_so(text: str, pieces: list[str]) -> None:
    assert split_sentences(text) == pieces


def test_a_long_sentence_is_cut_at_a_comma_else_at_a_space_else_in_a_word() -> None:
    assert split_sentences("one two three, four five", 16) == ["one two three,", "four five"]
    assert split_sentences("one two three four five", 16) == ["one two three", "four five"]
    assert split_sentences("it cost 1,000,000 then", 12) == ["it cost", "1,000,000", "then"]
    assert split_sentences("a" * (MAX_PIECE_LENGTH + 5)) == ["a" * MAX_PIECE_LENGTH, "a" * 5]


def test_the_white_space_at_a_cut_counts_for_no_piece() -> None:
    assert split_sentences("one" + " " * 30 + "two", 4) == ["one", "two"]


def test_a_length_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="max_length is 0"):
        split_sentences("a", 0)


@given(text=st.text(max_size=500))
def test_the_mask_keeps_the_length_and_hides_at_least_the_middle_60_percent(text: str) -> None:
    masked = mask(text)
    shown = len(text) // 5
    assert len(masked) == len(text)
    assert masked[:shown] == text[:shown]
    assert masked[len(text) - shown :] == text[len(text) - shown :]
    assert set(masked[shown : len(text) - shown]) <= {"*"}
    assert len(text) - 2 * shown >= 0.6 * len(text)


def test_the_mask_of_a_known_text() -> None:
    assert mask("0123456789") == "01******89"
    assert mask("abc") == "***"
