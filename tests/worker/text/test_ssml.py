"""The part of SSML that is spoken; the rest is refused with its name."""

import pytest

from ttscontract.worker_config import Markup
from ttsworker.text.markup import InvalidMarkup, Passage, Reading, read_markup
from ttsworker.text.markup.ssml import MAX_DEPTH


def read(inside: str) -> list[Passage]:
    return read_markup(f"<speak>{inside}</speak>", Reading(Markup.SSML))


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        ("Hello.", "Hello."),
        ("  Hello\n\n   there. ", "Hello there."),
        ("<p>One</p><p>Two</p>", "One Two"),
        ("<s>One</s> <s>Two</s>", "One Two"),
        ("Q&amp;A &lt;b&gt; &#39;x&#39; &amp;lt;", "Q&A <b> 'x' &lt;"),
        ("<![CDATA[a < b]]>", "a < b"),
        ("<!-- no -->Hello<?no no?>", "Hello"),
        ('<sub alias="World Wide Web">WWW</sub>.', "World Wide Web."),
        ('<say-as interpret-as="characters">abc 1</say-as>', "A, B, C, 1"),
        ('<say-as interpret-as="spell-out">TTS</say-as>', "T, T, S"),
        ('<say-as interpret-as="digits">2026</say-as>', "2 0 2 6"),
        ('<say-as interpret-as="telephone">+1 (555) 123-4567</say-as>', "+, 1, 5 5 5, 1 2 3, 4 5 6 7"),
        ('<say-as interpret-as="telephone">*67# 555.1234</say-as>', "*, 6 7, #, 5 5 5, 1 2 3 4"),
        ('<say-as interpret-as="digits">-3.14</say-as>', "-, 3, ., 1 4"),
        ('<say-as interpret-as="characters">A1-B</say-as>', "A, 1, -, B"),
        ('<say-as interpret-as="date" format="dmy">5/6/2024</say-as>', "2024-06-05"),
        ('<say-as interpret-as="date" format="ddmmyy">31.12.99</say-as>', "1999-12-31"),
        ('<say-as interpret-as="date" format="yyyymmdd">2024/5/6</say-as>', "2024-05-06"),
        ('<say-as interpret-as="date" format="dmy">the fifth</say-as>', "the fifth"),
        ('<say-as interpret-as="date">5/6/2024</say-as>', "5/6/2024"),
        ('<say-as interpret-as="cardinal">42</say-as>', "42"),
        ('<say-as interpret-as="date" format="mdy">1/2/2026</say-as>', "2026-01-02"),
        ("**not Markdown**", "**not Markdown**"),
    ],
)
def test_the_words_of_supported_elements_are_heard(inside: str, text: str) -> None:
    [passage] = read(inside)
    assert passage.text.split() == text.split()


def test_paragraphs_and_sentences_end_what_is_before_them() -> None:
    [passage] = read("Zero<p>One</p><s>Two</s>Three")
    assert [block.strip() for block in passage.text.split("\n\n") if block.strip()] == ["Zero", "One", "Two", "Three"]


def test_a_document_as_other_services_take_it() -> None:
    document = """<?xml version="1.0" encoding="UTF-16"?>
    <speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US"
        xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b"><p>Hé.</p></speak>"""
    assert read_markup(document, Reading(Markup.SSML)) == [Passage("Hé.", language="en-US")]


@pytest.mark.parametrize(
    ("rate", "speed"),
    [("x-slow", 0.5), ("x-fast", 1.5), ("120%", 1.2), ("+20%", 1.2), ("-25%", 0.75), ("1.5", 1.5)],
)
def test_a_rate_multiplies_the_speed(rate: str, speed: float) -> None:
    assert read(f'One <prosody rate="{rate}">two</prosody> three') == [
        Passage("One"), Passage("two", speed), Passage("three")
    ]  # fmt: skip


def test_rates_in_one_another_multiply() -> None:
    nested = read('<prosody rate="50%">a<prosody rate="300%">b</prosody>c</prosody>')
    assert [(passage.text, passage.speed) for passage in nested] == [("a", 0.5), ("b", 1.5), ("c", 0.5)]


@pytest.mark.parametrize(
    ("attributes", "seconds"),
    [('time="500ms"', 0.5), ('time="1.5s"', 1.5), ('time="0s"', 0), ('strength="none"', 0), ('strength="strong"', 0.75),
     ("", 0.5)],
)  # fmt: skip
def test_a_break_is_a_pause(attributes: str, seconds: float) -> None:
    assert read(f"One<break {attributes}/>two") == [Passage("One"), Passage("two", pause=seconds)]


def test_breaks_after_one_another_add_up() -> None:
    assert read('One<break time="1s"/> <break time="2s"/>two<break/>') == [Passage("One"), Passage("two", pause=3)]


def test_a_part_in_another_language() -> None:
    parts = read('One <lang xml:lang="de">zwei</lang> <s xml:lang="fr">trois</s>')
    assert [(part.text, part.language) for part in parts] == [("One", None), ("zwei", "de"), ("trois", "fr")]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("Hello", "is not valid SSML, which is one <speak> element of XML"),
        ("<speak>a", "is not valid SSML"),
        ("<speak>a</speak>b", "is not valid SSML"),
        ("<speak>a&nbsp;b</speak>", "is not valid SSML.*undefined entity"),
        ("<p>a</p>", "a <speak> element has to be around all of it"),
        ("<speak><speak>a</speak></speak>", "and nowhere else"),
        (
            "<speak><voice name='x'>a</voice></speak>",
            "the SSML element <voice>, which is not supported; supported are",
        ),
        ("<speak><audio src='http://x.org/a.wav'/></speak>", "<audio>"),
        ("<speak><script>a</script></speak>", "<script>"),
        ("<speak xmlns:m='urn:x'><m:effect/></speak>", "<effect>"),
        ("<speak><prosody pitch='high'>a</prosody></speak>", "the attribute pitch of <prosody>"),
        (
            "<speak><prosody rate='quick'>a</prosody></speak>",
            "rate='quick', which is not.*supported are x-slow",
        ),
        ("<speak><prosody rate='+2'>a</prosody></speak>", "rate="),
        ("<speak><prosody rate=''>a</prosody></speak>", "rate="),
        ("<speak><break time='soon'/></speak>", "write its time like 500ms or 1.5s"),
        ("<speak><break time='11s'/></speak>", "at most 10 s"),
        ("<speak>" + "<break time='10s'/>" * 7 + "</speak>", "more than 60 s together"),
        ("<speak><break strength='big'/></speak>", "strength='big'"),
        ("<speak><break>a<p/></break></speak>", "has <p> within <break>"),
        ("<speak><sub>a</sub></speak>", "<sub> without its attribute alias"),
        ("<speak><lang>a</lang></speak>", "<lang> without its attribute xml:lang"),
        ("<speak><say-as interpret-as='ordinal'>1</say-as></speak>", "interpret-as='ordinal'.*supported are cardinal"),
        ("<speak><say-as interpret-as='date' format='dm'>5/6</say-as></speak>", "format='dm'.*supported are dmy"),
        ("<!DOCTYPE speak [<!ENTITY a 'b'>]><speak>&a;</speak>", "document type declaration.*remove it"),
        ("<!DOCTYPE speak SYSTEM 'http://x.org/a.dtd'><speak>a</speak>", "document type declaration"),
        ("<speak>" + "<p>" * MAX_DEPTH + "</p>" * MAX_DEPTH + "</speak>", f"more than {MAX_DEPTH} deep"),
        ("<speak>" + "<p>" * 30_000, f"more than {MAX_DEPTH} deep"),
    ],
)
def test_unsupported_ssml_is_refused(document: str, message: str) -> None:
    with pytest.raises(InvalidMarkup, match=message):
        read_markup(document, Reading(Markup.SSML))


def test_nothing_is_heard_of_an_empty_document() -> None:
    assert read("") == read("<p/> ") == []


def test_a_document_of_breaks_is_silence() -> None:
    assert read("<break time='1s'/><p/><break/>") == [Passage("", pause=1.5)]
