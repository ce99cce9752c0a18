"""From the text of a request to the passages of plain text that are to be heard."""

from dataclasses import dataclass

from ttscontract.worker_config import Markup, Tags
from ttsworker.text.markup import markdown, tags
from ttsworker.text.markup.detecting import is_markdown
from ttsworker.text.markup.entities import decode_entities
from ttsworker.text.markup.passages import Passage
from ttsworker.text.markup.ssml import read_ssml


@dataclass(frozen=True)
class Reading:
    """How to read the text of a request."""

    markup: Markup = Markup.AUTO
    tags: Tags = Tags.REJECT
    speak_code: bool = False
    """Whether blocks of code are spoken; code within a line always is."""


def read_markup(text: str, reading: Reading) -> list[Passage]:
    """Return what is to be heard of a text; raises InvalidMarkup.

    References such as &amp; are decoded last, so that none of them becomes markup.
    """
    if reading.markup is Markup.SSML:
        return read_ssml(text)
    strip = reading.tags is Tags.STRIP
    if strip:
        text = tags.without_silent_elements(text)
    heard = _markdown(text, reading) if reads_as_markdown(text, reading.markup) else None
    if heard is None:
        if not strip:
            tags.refuse_tags(text)
        heard = tags.strip_tags(text) if strip else text
    return [Passage(decode_entities(heard))]


def reads_as_markdown(text: str, markup: Markup) -> bool:
    """Return whether a text is read as Markdown."""
    return markup is Markup.MARKDOWN or (markup is Markup.AUTO and is_markdown(text))


def _markdown(text: str, reading: Reading) -> str | None:
    """Return what is to be heard of a Markdown text; None where it is nested too deeply to be one."""

    def on_tag(tag: str) -> str:
        replacement = tags.in_place_of(tag)
        if reading.tags is Tags.REJECT or replacement == tag:
            tags.refuse_tag(tag, text.find(tag))
        return replacement

    try:
        return markdown.heard(text, on_tag=on_tag, speak_code=reading.speak_code)
    except markdown.Nested:
        return None
