"""What is a tag and what only looks a little like one; what is heard where tags are removed; character references."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttscontract.worker_config import Markup, Tags
from ttsworker.text.markup import InvalidMarkup, Reading, read_markup
from ttsworker.text.markup.tags import refuse_tags

MARKUP = [
    "<script>alert(1)</script>", "Hello <script>", "<SCRIPT SRC=//x.org/a.js>", "<script", "<script/x>", "< /b></b>",
    "<b>bold</b>", "<i>", "</p>", "</p >", "<br>", "<br/>", "<br />", "<hr/>", "<foo/>", "</foo>", '<foo bar="x">',
    "<foo bar='x'>", "<foo bar=x>", "<a href=javascript:alert(1)>", "<img src=x onerror=alert(1)>",
    "<h1>", "<div\nid=x>",
    "<speak>Hello</speak>", '<break time="1s"/>', "<say-as interpret-as='date'>", "<prosody rate='slow'>", "<!-- x -->",
    "<!doctype html>", "<![CDATA[x]]>", "<?xml version='1.0'?>", "<?php", "<svg onload=alert(1)>", "<iframe src='x'>",
    "<amazon:effect name='x'>", "<input disabled>", "x<y:z/>",
]  # fmt: skip

PLAIN = [
    "a < b", "a<b", "a > b", "b>a", "if a < b and c > d", "a<b and c>d", "x<y>z", "i<3>2", "I <3 you",
    "</3", "->",
    "<-", "<->", "=>", "<=", "<>", "<<", ">>", "x <y and z= 3> w",
    "John <john@example.org>",
    "<john.doe+x@mail.example.org>",
    "<https://example.org/a?b=c>", "<mailto:a@example.org>", "List<String>", "press <enter>",
    "< b >", "<b", "a <b c",
    "3 < 4 / 2 > 1", "<!>", "<?>", "<!!!", "?<", "</", "script", "<scripture",
    "< script >", "\uff1cb\uff1e",
    "<*)))><", "<o/", "\\<o/", "<日本>", "a<b c d>e",
]  # fmt: skip

STRIP = Reading(Markup.PLAIN, Tags.STRIP)


def heard(text: str, reading: Reading = STRIP) -> str:
    [passage] = read_markup(text, reading)
    return passage.text


@pytest.mark.parametrize("markup", [Markup.AUTO, Markup.PLAIN, Markup.MARKDOWN])
@pytest.mark.parametrize("text", MARKUP)
def test_a_tag_is_refused(text: str, markup: Markup) -> None:
    with pytest.raises(InvalidMarkup, match=r"^has markup \(<.*\) at position \d+: send plain text"):
        read_markup(text, Reading(markup))


@pytest.mark.parametrize("tags", Tags)
@pytest.mark.parametrize("markup", [Markup.AUTO, Markup.PLAIN])
@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_tag_is_kept(text: str, markup: Markup, tags: Tags) -> None:
    assert heard(text, Reading(markup, tags)) == text


def test_the_tag_and_its_position_are_told_and_not_its_attributes() -> None:
    with pytest.raises(InvalidMarkup, match=r"^has markup \(<foo\) at position 4: send"):
        read_markup("Hi, <foo bar='secret'>", Reading())


def test_who_sends_ssml_is_told_how() -> None:
    with pytest.raises(InvalidMarkup, match=r'or set markup to "ssml"$'):
        read_markup("<speak>Hello</speak>", Reading())


@pytest.mark.parametrize(
    "text", ["<" * 99_999, "<a " * 33_333, "<a" + " " * 99_990, "<a b" + "=" * 99_990, "<br " * 24_999]
)
def test_a_long_text_is_read_in_one_go(text: str) -> None:
    refuse_tags(text + ".")


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("One.<br>Two.<br/>Three.<br />Four.", "One.\n\nTwo.\n\nThree.\n\nFour."),
        ("</think>\nFour.", "Four."),
        ("<b>bold</b>, <i class='x'>slanted</i> and <span style=\"a:b\">red</span>", "bold, slanted and red"),
        ("H<sub>2</sub>O", "H2O"),
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<ul><li>milk</li><li>bread</li></ul>", "milk\n\nbread"),
        ("<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>", "A B\n\n1 2"),
        ("<h1>Title</h1>Text", "Title\n\nText"),
        ('<a href="https://x.org/?a=b">the page</a>', "the page"),
        ("a < b and <c>", "a < b and <c>"),
        ("Hello <img src=x onerror=alert(1)>", "Hello"),
        # what is never spoken
        ("<script>alert(1)</script>Hello", "Hello"),
        ("Hello<SCRIPT type='x'>if (a<b) alert(1)</SCRIPT > there", "Hello there"),
        ("<style>p { color: red }</style>Hello", "Hello"),
        ("One <!-- two --> three", "One three"),
        ("<!-- <b>one</b>\n\ntwo --><p>three", "three"),
        ("<head><title>x</title></head>Hello", "Hello"),
        ("<svg onload=alert(1)><text>x</text></svg>Hello", "Hello"),
        # a language model's reasoning
        ("<think>2 + 2, so\n\nfour.</think>Four.", "Four."),
        ("<thinking>Hm.</thinking>\n\nFour.", "Four."),
        ("<THINK>Hm.</THINK> Four. <think>More?</think> Yes.", "Four. Yes."),
        ("Hm, two and two.\n</think>\n\nFour.", "Four."),
        ("  <think>Hm, two and", ""),
        ("<think></think>Four.", "Four."),
        ("press <think> now", "press <think> now"),
        ("<reasoning>a</reasoning><thought>b</thought>c", "c"),
    ],
)
def test_tags_are_removed_and_silent_elements_with_all_they_contain(text: str, spoken: str) -> None:
    words = [block.split() for block in heard(text).split("\n\n") if block.strip()]
    assert words == [block.split() for block in spoken.split("\n\n") if block.strip()]


@pytest.mark.parametrize(
    "text", ["<script>alert(1)", "a <script", "<style>p {}", "<!-- a", "<![CDATA[x]]>", "<sc<b>ript>alert(1)</b>"]
)
def test_what_has_no_end_is_refused_also_where_tags_are_removed(text: str) -> None:
    with pytest.raises(InvalidMarkup, match="has markup"):
        read_markup(text, STRIP)


@given(st.lists(st.sampled_from([*MARKUP, *PLAIN, "script>", "</script>", "<!--", "-->", "<think>", "a", "`", "**"])))
def test_no_tag_is_left(parts: list[str]) -> None:
    try:
        left = heard("".join(parts))
    except InvalidMarkup:
        return
    refuse_tags(left)


@pytest.mark.parametrize(
    "text",
    ["<think>" * 14_000, "a<think>" * 12_000, "</think>" * 12_000, "<!--" * 25_000, "-->" * 33_000,
     "<script>a</script>" * 5_000, "<b>" * 33_000, "<br/>" * 20_000],
)  # fmt: skip
def test_many_tags_are_read_in_one_go(text: str) -> None:
    try:
        heard(text)
    except InvalidMarkup as error:
        assert "<!--" in str(error)  # noqa: PT017 - only these have no end


@pytest.mark.parametrize("markup", [Markup.AUTO, Markup.PLAIN, Markup.MARKDOWN])
@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Q&amp;A", "Q&A"),
        ("it&#39;s &quot;so&quot;", 'it\'s "so"'),
        ("it&#x27;s &apos;so&apos;", "it's 'so'"),
        ("a&nbsp;b", "a\u00a0b"),
        ("caf&eacute; &euro;5 &mdash; &hellip;", "café €5 — …"),
        ("it&#146;s", "it’s"),  # noqa: RUF001 - as browsers read Windows' number of it
        ("a &lt; b &gt; c", "a < b > c"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"),
        ("&amp;amp; &amp;lt;b&amp;gt;", "&amp; &lt;b&gt;"),  # once
        ("&#42;&#42;a&#42;&#42;", "**a**"),  # none of it is Markdown
        ("a&#13;b", "a\nb"),
        ("AT&T, Q&A, R&D;", "AT&T, Q&A, R&D;"),
        ("&unknown; &#; &#x; &#99999999; &copy 5", "&unknown; &#; &#x; &#99999999; &copy 5"),
        ("&#1114112;", "&#1114112;"),
        ("a=1&copy=2&lt", "a=1&copy=2&lt"),
    ],
)
def test_character_references_are_decoded_once(text: str, spoken: str, markup: Markup) -> None:
    assert heard(text, Reading(markup)) == spoken
