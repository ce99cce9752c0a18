"""The splitter ends sentences where a reader does, loses and repeats nothing, and respects its maximum length."""
# ruff: noqa: RUF001 - the marks of other scripts are meant

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsworker.observe.masking import mask
from ttsworker.text import MAX_PIECE_LENGTH, split_sentences

# Of the languages of the table below, and some that the library judges by its own rules or not at all.
LANGUAGES = [
    None, "", "en", "en-US", "de", "fr", "es", "ru", "hi", "ar", "he", "zh-CN", "ja", "th",
    "am", "el", "fi", "hy", "it", "ko", "my", "tlh", "x_y",
]  # fmt: skip

PROSE = st.text(
    st.one_of(
        st.sampled_from("ab Zé.!?…,;:—\n\t\"'”)。！、3“(「」।؟😀\u00a0\u3000\u2028\u0301\u200d\u0e33-1"),
        st.characters(exclude_categories=[]),  # half a surrogate pair as well
    ),
    max_size=300,
)

LANGUAGE_CASES: list[tuple[str, list[str]]] = [
    ("en", ["Dr. Smith paid $3.50 to J. R. Hill, e.g. in cash.", "He left at 5 p.m.", "Why?"]),
    ("en", ["Mr. and Mrs. Jones live in the U.S.", "It is big.", "See Fig. 3, p. 12, vol. 2 and no. 5."]),
    ("en", ["Version 3.14 is out!", "It runs on 127.0.0.1.", "Take vitamin C.", "It is good."]),
    ("en", ["He asked “Why?” and left.", "‘No.’ she said."]),
    ("en", ["See https://example.com/a.b?c=d.", "Then write to Jane.Doe@Example.Org.", "Done."]),
    ("en", ["lower case here.", "no capitals at all.", "fine"]),
    ("de", ["Am 3. Oktober 1990 war es so weit.", "Das ist z. B. gut, d. h. Dr. Müller kam.", "„Nein.“", "Ende."]),
    ("de", ["Er wohnt in der Str. 7, inkl. Balkon.", "Ludwig XIV. Palast kostet 3,5 Mio. Euro.", "Gut?"]),
    ("fr", ["M. Dupont et Mme. Durand sont là.", "« Bonjour ! Ça va ? » dit-il.", "C’est vrai ?", "Oui !"]),
    ("fr", ["Voir p. ex. la page 3.", "Le Dr. Martin travaille à l’A.N.P.E. de Lyon."]),
    ("es", ["¿Cómo estás?", "¡Bien!", "El Sr. García y la Dña. Ana llegan a las 3.30.", "EE. UU. es grande."]),
    ("ru", ["Он родился в 1990 г. в Москве.", "А. С. Пушкин, т. е. поэт.", "Стоит 3,14 млн. рублей.", "Да!"]),
    ("hi", ["नमस्ते।", "कैसे हो?", "डॉ. शर्मा आए।", "दाम ३.१४ है॥", "अच्छा"]),
    ("ar", ["مرحبا.", "كيف حالك؟", "السعر 3.14 دولار، شكرا!", "د. أحمد هنا.", "نعم۔"]),
    ("he", ["שלום.", "מה שלומך?", 'ד"ר כהן כאן.', "ת. לוי שילם 3.14 ש\"ח."]),
    ("zh", ["今天天气好。", "你好吗？", "他说：“走吧。快点！”", "然后走了。", "价格是3.14元。"]),
    ("zh", ['他说"你好。走吧。"', "然后走了。"]),
    ("ja", ["今日は。", "元気ですか？", "はい！", "「行こう。早く！」", "と言った。", "3.14です。"]),
    ("th", ["สวัสดีครับ ดร. สมชาย มา.", "ราคา 3.14 บาท", "ไปเถอะ"]),
    ("ko", ["네.", "아니요.", "3.14입니다.", "정말요?"]),
]  # fmt: skip
JOINER = {"zh": "", "ja": "", "th": "\n\n"}


def without_space(text: str) -> str:
    return re.sub(r"\s", "", text)


def check_pieces(text: str, pieces: list[str], max_length: int) -> None:
    assert without_space("".join(pieces)) == without_space(text)
    assert all(0 < len(piece) <= max_length and piece == piece.strip() for piece in pieces)


@given(text=PROSE, language=st.sampled_from(LANGUAGES), max_length=st.integers(1, 60))
def test_nothing_is_lost_or_doubled_and_every_piece_is_bounded(
    text: str, language: str | None, max_length: int
) -> None:
    check_pieces(text, split_sentences(text, language, max_length), max_length)


@given(
    sentences=st.lists(st.sampled_from([piece for _, pieces in LANGUAGE_CASES for piece in pieces]), max_size=60),
    between=st.sampled_from(["", " ", "\n", "\n\n", "\n- ", "\n1. ", "\u3000", "\u00a0", " 😀 ", '" "', " (", "… "]),
    language=st.sampled_from(LANGUAGES),
    max_length=st.sampled_from([7, 40, MAX_PIECE_LENGTH]),
)
def test_nothing_of_a_long_text_in_several_languages_is_lost(
    sentences: list[str], between: str, language: str | None, max_length: int
) -> None:
    text = between.join(sentences)
    check_pieces(text, split_sentences(text, language, max_length), max_length)


@given(words=st.lists(st.text(st.characters(categories=["L"]), min_size=1, max_size=20), min_size=1, max_size=80))
def test_words_that_fit_stay_whole(words: list[str]) -> None:
    pieces = split_sentences(" ".join(words), max_length=40)
    assert [word for piece in pieces for word in piece.split()] == " ".join(words).split()


@pytest.mark.parametrize(("language", "sentences"), LANGUAGE_CASES)
def test_sentences_of_many_languages(language: str, sentences: list[str]) -> None:
    assert split_sentences(JOINER.get(language, " ").join(sentences), language) == sentences


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
        ('"Stop!" he said. (Really.) Yes.', ['"Stop!" he said.', "(Really.) Yes."]),
        ("今日は。元気ですか？はい", ["今日は。", "元気ですか？", "はい"]),
        ("नमस्ते। कैसे हो?", ["नमस्ते।", "कैसे हो?"]),
        ("A heading\n\nThe text\nof one line", ["A heading", "The text\nof one line"]),
        ("Wait. . . what?", ["Wait. . . what?"]),
        ("Well... fine.", ["Well... fine."]),
        ("Well... Fine.", ["Well...", "Fine."]),
    ],
)
def test_sentences_end_where_a_reader_says_so(text: str, pieces: list[str]) -> None:
    assert split_sentences(text) == pieces


@pytest.mark.parametrize(
    ("language", "text", "pieces"),
    [
        ("de-AT", "Er kommt bzw. Hr. Maier. Gut.", ["Er kommt bzw. Hr. Maier.", "Gut."]),
        ("EL_gr", "Τι κάνεις; Καλά.", ["Τι κάνεις;", "Καλά."]),
        ("", "Take vitamin C. It is good. Ask Dr. No.", ["Take vitamin C.", "It is good.", "Ask Dr. No."]),
        ("tlh", "Qapla'! Heghlu'meH QaQ jajvam.", ["Qapla'!", "Heghlu'meH QaQ jajvam."]),
        ("en", "你好。走吧！Yes. कैसे हो? مرحبا؟ No", ["你好。", "走吧！", "Yes.", "कैसे हो?", "مرحبا؟", "No"]),
    ],
)
def test_a_tag_may_have_a_region_be_unknown_or_not_fit_the_text(language: str, text: str, pieces: list[str]) -> None:
    assert split_sentences(text, language) == pieces


@pytest.mark.parametrize(
    ("language", "text", "pieces"),
    [
        ("en", "Go to https://Example.Com/A.B?Q=1 now. Good.", ["Go to https://Example.Com/A.B?Q=1 now.", "Good."]),
        ("en", "ASP.Net and Node.JS are old. Is Q?A new?", ["ASP.Net and Node.JS are old.", "Is Q?A new?"]),
        ("en", "It ends.Then it goes on.", ["It ends.", "Then it goes on."]),
        ("en", "Well… fine. Well… Fine.", ["Well… fine.", "Well…", "Fine."]),
        ("en", "Yes.) Then. He left.” Then.", ["Yes.)", "Then.", "He left.”", "Then."]),
        ("en", "Ask Dr. No. Or Mr. Who.", ["Ask Dr. No.", "Or Mr. Who."]),
        ("en", "Take approx. Three of vol. 2, ch. 1.", ["Take approx. Three of vol. 2, ch. 1."]),
        ("fr", "1. Premier point. 2. Deuxième.", ["1. Premier point.", "2. Deuxième."]),
        ("ja", "そうだ。abcです。3つ", ["そうだ。", "abcです。", "3つ"]),
        ("de", "Sie kamen am\n12. Mai an. Gut.", ["Sie kamen am\n12. Mai an.", "Gut."]),
        ("ru", "Ну… да. Ну… Да.", ["Ну… да.", "Ну…", "Да."]),
        ("en", "**Bold text.** More.", ["**Bold text.**", "More."]),
        ("ja", "『本。』値段は？", ["『本。』", "値段は？"]),
        ("fr", "L’an 100 av. J.-C. fut long. Voir l’art. 5.", ["L’an 100 av. J.-C. fut long.", "Voir l’art. 5."]),
        ("th", "ราคา พ.ศ. 2566 เป็นปี", ["ราคา พ.ศ. 2566 เป็นปี"]),
        ("es", "—¿Vienes? —preguntó. —No.", ["—¿Vienes? —preguntó.", "—No."]),
        ("ko", "아니요. 네. 정말요?", ["아니요.", "네.", "정말요?"]),
        ("uk", "І. Франко писав. Так.", ["І. Франко писав.", "Так."]),
        ("he", 'ד"ר לוי כאן. ת. כהן שילם 3 ש"ח.', ['ד"ר לוי כאן.', 'ת. כהן שילם 3 ש"ח.']),
        ("he", "Z\u00a0. One\u3000. Two", ["Z\u00a0.", "One\u3000.", "Two"]),
    ],
)
def test_what_the_library_alone_does_badly(language: str, text: str, pieces: list[str]) -> None:
    assert split_sentences(text, language) == pieces


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("To buy:\n- milk\n- bread\nand butter\n", ["To buy:", "- milk", "- bread\nand butter"]),
        ("1. Open it\n2. Close it\n  a) softly", ["1. Open it", "2. Close it", "a) softly"]),
        ("Steps:\n1) Open\n2) Close", ["Steps:", "1) Open", "2) Close"]),
        ("# Title\nSome text\n## Part\nMore", ["# Title", "Some text", "## Part", "More"]),
        ("It was summer in\n1914. Then came war.", ["It was summer in\n1914.", "Then came war."]),
    ],
)
def test_list_items_are_sentences_and_broken_lines_are_not(text: str, pieces: list[str]) -> None:
    assert split_sentences(text) == pieces


def test_a_quotation_is_one_piece_where_it_fits_and_sentences_where_not() -> None:
    text = "“It goes on. And on,” he said. Then."
    assert split_sentences(text) == ["“It goes on. And on,” he said.", "Then."]
    assert split_sentences(text, max_length=25) == ["“It goes on.", "And on,” he said.", "Then."]


def test_a_sentence_that_ends_far_from_the_start_of_a_long_text_is_found() -> None:
    words = "word " * 600
    text = f"Short. {words}end. Dr. Smith came. " * 3
    ends = [piece for piece in split_sentences(text, "en") if piece.endswith(("end.", "came.", "Short."))]
    assert [piece.split()[-1] for piece in ends] == ["Short.", "end.", "came."] * 3
    assert ends.count("Dr. Smith came.") == 3


def test_a_long_sentence_has_no_end_of_its_own_inside() -> None:
    for text in ("word " * 300 + "end.", "3." * 900 + "1", "好" * 1500 + "。"):
        assert split_sentences(text, "ja", max_length=5000) == [text]


def test_a_long_sentence_is_cut_at_a_comma_else_at_a_space_else_in_a_word() -> None:
    assert split_sentences("one two three, four five", max_length=16) == ["one two three,", "four five"]
    assert split_sentences("one two three four five", max_length=16) == ["one two three", "four five"]
    assert split_sentences("it cost 1,000,000 then", max_length=12) == ["it cost", "1,000,000", "then"]
    assert split_sentences("from 1990–1995 on", max_length=13) == ["from", "1990–1995 on"]
    assert split_sentences("واحد اثنان ثلاثة،أربعة", "ar", 18) == ["واحد اثنان ثلاثة،", "أربعة"]
    assert split_sentences("a" * (MAX_PIECE_LENGTH + 5)) == ["a" * MAX_PIECE_LENGTH, "a" * 5]


@pytest.mark.parametrize(
    "written", ["e\u0301", "👍🏽", "👨\u200d👩\u200d👧", "🇩🇪", "क्ष", "กำ", "x\ufe0f\u20e3", "\ud83d\ude00"]
)
@pytest.mark.parametrize("max_length", [5, 6, 7])
def test_a_word_is_not_cut_within_a_written_character(written: str, max_length: int) -> None:
    pieces = split_sentences(written * 9, max_length=max_length)
    assert all(len(piece) % len(written) == 0 for piece in pieces)
    check_pieces(written * 9, pieces, max_length)


def test_a_letter_with_more_marks_than_fit_is_cut() -> None:
    assert split_sentences("a" + "\u0301" * 9, max_length=4) == ["a" + "\u0301" * 3, "\u0301" * 4, "\u0301" * 2]


def test_the_white_space_at_a_cut_counts_for_no_piece() -> None:
    assert split_sentences("one" + " " * 30 + "two", max_length=4) == ["one", "two"]


def test_marks_without_a_word_stay_with_their_sentence_where_they_fit() -> None:
    assert split_sentences("Well done. 👍 !!\n\n* * *\n\nNext.") == ["Well done. 👍 !! * * *", "Next."]
    assert split_sentences("Done.\n\n***", max_length=8) == ["Done.", "***"]


@pytest.mark.parametrize(
    "text",
    ["a" * 4096, "\n" * 100_000, "." * 4096, ". " * 2048, "A. " * 1365, "“a. " * 1024, "好。" * 2048, "👍" * 4096],
)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_strangest_long_texts_are_split(text: str, language: str) -> None:
    check_pieces(text, split_sentences(text, language), MAX_PIECE_LENGTH)


def test_a_length_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="max_length is 0"):
        split_sentences("a", max_length=0)


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
