"""Inputs that parsers and text steps find hard, and the steps that get them."""
# ruff: noqa: RUF001 - the signs are intended

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers

from ttscontract.worker_config import Markup, Tags
from ttsworker.engines.hibari.reading import rewrite
from ttsworker.http.access.clients import client_of
from ttsworker.http.access.keys import digest_of
from ttsworker.http.routes.fields import multipart, urlencoded
from ttsworker.settings import parse_networks
from ttsworker.speech.request import parse_speech_request
from ttsworker.speech.validation import check_text
from ttsworker.text import split_sentences, spoken_form
from ttsworker.text.cutting import cut
from ttsworker.text.markup import Reading, read_markup
from ttsworker.text.markup.detecting import is_markdown
from ttsworker.text.normalise import normalise

Step = Callable[[str], object]


@dataclass(frozen=True)
class Shape:
    """An input: `unit` as often as it fits between the two ends."""

    name: str
    unit: str
    before: str = ""
    after: str = ""

    def of(self, length: int) -> str:
        """Return the input with about so many characters."""
        count = (length - len(self.before) - len(self.after)) // len(self.unit)
        return self.before + self.unit * max(count, 1) + self.after


def _each(*units: str, before: str = "", after: str = "") -> tuple[Shape, ...]:
    return tuple(Shape(repr(unit)[1:-1][:40], unit, before, after) for unit in units)


_ALLOWED = 10**9
"""Bounds of the worker's settings are out of the way, so that the step behind them is measured."""

_JSON = (
    *_each(*"a<[{", "\\\\", "\\u0041", "\\ud83d\\ude00", "\\ud83d", before='{"input":"', after='"}'),
    Shape("text without an end", '\\"', '{"input":"'),
    *_each("[],", "{},", '"",', "1.5,", '{"a":0},', "[" * 99 + "]" * 99 + ",", before='{"input":[', after="0]}"),
    Shape("nested arrays", "[", '{"input":'),
    Shape("nested objects", '{"a":', '{"input":'),
    *_each(" ", "\n", before="{", after='"input":"a"}'),
    *_each("1", "0.", "1e", before='{"speed":', after="}"),
    *_each('"a":0,', '"input":"a",', before="{", after='"b":0}'),
)

_FORM = _each("a", "&", "a&", "a=b&", "=", "%41", "%", "%F", "+", "%C3%A9", ";", before="text=a", after="&b=c")

_PART = 'Content-Disposition: form-data; name="a"'


def _multipart(unit: str, headers: str = _PART) -> Shape:
    return Shape(repr(unit)[1:-1][:40], unit, f"--x\r\n{headers}\r\n\r\n", "\r\n--x--")


_HARD = f'{_PART}; x="{";" * 900}"'

_MULTIPART = (
    *map(_multipart, ("a", "\r", "\n", "\r\n", "\r\n-", "\r\n--", "\r\n--y", f"\r\n--x\r\n{_PART}\r\n\r\na")),
    *(_multipart(unit, f"{_PART}\r\nContent-Transfer-Encoding: quoted-printable") for unit in ("=3D", "=0", "=\r\n ")),
    *(_multipart(unit, f"{_PART}\r\nContent-Transfer-Encoding: base64") for unit in ("AAAA", "A\r\n", "==")),
    *(
        Shape(f"part header with {unit}", unit, f'--x\r\n{_PART}; x="', '"\r\n\r\na\r\n--x--')
        for unit in ("a", ";", '";', "\\", "=")
    ),
    Shape("part headers", "a: b\r\n", "--x\r\n", f"{_PART}\r\n\r\na\r\n--x--"),
    Shape("parts with hard headers", f"\r\n--x\r\n{_HARD}\r\n\r\na", f"--x\r\n{_PART}\r\n\r\n", "\r\n--x--"),
)

_CONTENT_TYPE = _each(";", '";', "a", "=", '\\"', before='multipart/form-data; x="', after='"; boundary=x')

_TEXT = (
    Shape("words", "The quick brown fox jumps over the lazy dog. "),
    Shape("numbers", "On 3 May 2024 it cost $1,234.50, or -5.5% of 10 km/h. "),
    Shape("Chinese", "今天天气很好。"),
    *_each(
        *"a1I<>()\"'“«.!?…。,;:-–—&#@/*_~`|=+%°$√½²\n\u0301\u05d0\u0e33\u1100",
        "a ", "1 ", "1,", "1.", "1,000", "1,000,", ",000", ".000", "1-", "1/", "1:", "1 1/", "-1", "- 1", "$1", "$1 ",
        "1$", "$ ", "1 USD ", "US$",
        "1,5 €", "€1,50", "1,5", "1.234,", "z. B. ", "Nr. 1", "1. Mai ",
        "1m", "1k", "1 m", "1''", "5'5\"", "5 ft ", "1 - ", "a.", "a. ", "A.", "A.B. ",
        "a-", "a@", "a@a.", "@a", "a.a@", "www.", "http://", "https://a", "https://a.", "555-", "555 ", "(555) ",
        "IV", "IV ", "X", "MCM ", "a1", "A1-", "1a", "1st ", "1990s ", "'90", "Dr. ", "e.g. ", "No. 1 ", "May 1, ",
        "1/1/", "10:30", "10:30 ", "10 am ", "1%", "1 °", "#1", "w/", "& ", "<a ", "<a b=", "<a b=c", "</a", "<!--",
        "\n\n", " \n", "- a\n", "1. ", "1) a\n", "# ", "#\n", ". ", "?!", "...", "… ", ".\" ", "(a", ")a",
        "\u00a0000", "1\u00a0000", "\u200d", "\u0628\u200d", "\u0928\u094d", "\U0001f600", "\U0001f600 ",
        "\U0001f1e6", "\ufdfa", "\uff11\uff0e", "´a", "\f", "\r", "\r\n",
    ),
    Shape("digits before a letter", "1", after="a"),
    Shape("grouped before a letter", "1,000", after="a"),
    Shape("address without an end", "a.a-a", before="a@", after="@"),
    Shape("marks before a letter", "-", after="1"),
)  # fmt: skip

_MARKED = (
    Shape("Markdown", "## One\n\n1. **Two** `three` [four](https://x.org/a_b)\n\n| a | b |\n|---|---|\n| *5* | 6 |\n"),
    *_each(
        "[", "![", "]", "[a](", "[a][", "](", "**a ", "*a", "*a_", "_a ", "__a", "a**b", "~~a ", "==a ", "`a ", "``a",
        "> ", ">- ", "> a\n", "* a\n", "1. a\n", "#a\n", "---\n", "a\n=", "```\n", "~~~a\n", "|-", "|-\n", "|a\n|-\n",
        "[^1]", "[a]: http://x\n", "[a]: ", "://_", "a://a_", "&amp;", "&#1", "&a", "<b>", "<br/>", "<script>",
        "<script>a</script>", "<think>", "a<think>", "</think>", "-->", "<a>", "</", "$*", "a  \n",
    ),
    Shape("lazy lines", "a\n", before="> " * 15 + "\n"),
    Shape("empty rows", "|\n", before="|a" * 20 + "|\n" + "|-" * 20 + "|\n"),
    Shape("long header", "|a\n", before=f"|{'a' * 1000}|\n|-|\n"),
)  # fmt: skip

_SSML = (
    *_each(
        "a ", "a\n", "<p>a</p>", "<p>", "<break/>", "<!---->", "&amp;", "<sub alias='a'/>", "<![CDATA[a]]>", "<?a?>",
        "<prosody rate='fast'>a</prosody>", "<say-as interpret-as='characters'>a</say-as>",
        "<lang xml:lang='de'>a</lang>",
        before="<speak>", after="</speak>",
    ),
    *_each("a", "a=''", " ", "\n", before="<speak ", after="/>"),
)  # fmt: skip


def _read(markup: Markup, tags: Tags = Tags.STRIP) -> Step:
    return lambda text: read_markup(text, Reading(markup, tags))


def _key(text: str) -> object:
    return digest_of(Headers({"authorization": text})["authorization"].encode())


_PROXIES = parse_networks(["0.0.0.0/0"])


def _client(text: str) -> object:
    return client_of("10.0.0.1", [text], _PROXIES)


STEPS: Sequence[tuple[str, Step, Sequence[Shape]]] = (
    ("JSON body", lambda text: parse_speech_request(text.encode()), _JSON),
    ("query and form", lambda text: urlencoded(text.encode()), _FORM),
    ("multipart form", lambda text: multipart("multipart/form-data; boundary=x", text.encode()), _MULTIPART),
    ("content type", lambda text: multipart(text, b"--x--"), _CONTENT_TYPE),
    ("API key", _key, _each("a", " ")),
    ("X-Forwarded-For", _client, _each("1.1.1.1,", ",", "1", "[", ":", "::,")),
    ("validation", lambda text: check_text(text, _ALLOWED, param="input"), _TEXT),
    ("signs of Markdown", is_markdown, (*_TEXT, *_MARKED)),
    ("Markdown", _read(Markup.MARKDOWN), _MARKED),
    ("tags removed", _read(Markup.PLAIN), (*_TEXT, *_MARKED)),
    ("tags refused", _read(Markup.PLAIN, Tags.REJECT), (*_TEXT, *_MARKED)),
    ("SSML", _read(Markup.SSML), _SSML),
    ("normalise", normalise, _TEXT),
    ("signs in words", lambda text: spoken_form(text, "en"), _TEXT),
    ("signs in German words", lambda text: spoken_form(text, "de"), _TEXT),
    ("sentences", split_sentences, _TEXT),
    ("cutting", lambda text: cut(text, 250), _TEXT),
    ("hibari's readable", lambda text: rewrite(text, lambda _word: False), _TEXT),
)
"""What a request passes, in this order."""
