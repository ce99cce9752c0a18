"""From marked-up text to plain text: Markdown, SSML, the tags and references of HTML."""

from ttsworker.text.markup.passages import InvalidMarkup, Passage
from ttsworker.text.markup.reading import Reading, read_markup, reads_as_markdown

__all__ = ["InvalidMarkup", "Passage", "Reading", "read_markup", "reads_as_markdown"]
