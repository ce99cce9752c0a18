"""Turn Markdown into the plain text that is to be heard, with an empty line after each block."""

# ruff: noqa: RUF001 - the marks are intended

import re
from collections.abc import Callable, Sequence

from markdown_it.token import Token

from ttsworker.text.markup.detecting import BOLD_BEGINS, BOLD_ENDS
from ttsworker.text.markup.rules import MAX_NESTING, make_parser

_PARSER = make_parser()

_HEADING_WITHOUT_SPACE = re.compile(r"^( {0,3}#{2,6})(?=[^\W\d_])", re.MULTILINE)
_FENCE_END = re.compile(r"[ \t>]*(`{3,}|~{3,})[ \t]*")
_FOOTNOTE = re.compile(r"(?P<definition>^\[\^[\w-]{1,64}\]:[ \t]*)|\[\^[\w-]{1,64}\]")
_HIGHLIGHT = re.compile(r"(?<![\w=])==(?=[^\s=])([^=]+)(?<=[^\s=])==(?![\w=])")
_STRAY_BOLD = re.compile(f"{BOLD_BEGINS}|{BOLD_ENDS}")
"""Of emphasis that goes on in another request, or that CommonMark does not see: **重点：**内容."""
_BREAKS = {"softbreak": "\n", "hardbreak": "\n\n"}
_LINE_END = re.compile(r"\s*\n\s*")
_CHECKBOX = re.compile(r"\[[ xX]\]\s+")
_ALERT = re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*")


class Nested(Exception):
    """The text has more quotations and lists in one another than are read."""


def heard(text: str, *, on_tag: Callable[[str], str], speak_code: bool) -> str:
    """Return what is to be heard of a Markdown text; `on_tag` returns what is heard in place of a tag.

    Raises Nested, and what `on_tag` raises.
    """
    return "\n\n".join(_Reader(on_tag, speak_code=speak_code).read(text))


class _Reader:
    """Reads one text, token by token."""

    def __init__(self, on_tag: Callable[[str], str], *, speak_code: bool, in_fence: bool = False) -> None:
        self._on_tag = on_tag
        self._speak_code = speak_code
        self._in_fence = in_fence
        self._blocks: list[str] = []
        self._lines: Sequence[str] = ()
        self._number = ""  # of a list's item whose text comes next
        self._begins_item = False
        self._header: list[str] | None = None
        self._row: list[str] | None = None
        self._rows = 0
        self._repeatable = 0  # characters of headers that rows may still repeat, so that a text does not multiply

    def read(self, text: str) -> list[str]:
        """Return the blocks; raises Nested."""
        self._repeatable = len(text)
        text = _HEADING_WITHOUT_SPACE.sub(r"\1 ", text)
        self._lines = text.split("\n")
        tokens = _PARSER.parse(text)
        if any(token.level >= MAX_NESTING - 2 for token in tokens):
            raise Nested
        actions: dict[str, Callable[[Token], None]] = {
            "list_item_open": self._begin_item,
            "list_item_close": self._end_item,
            "inline": self._text,
            "fence": self._code,
            "tr_open": self._begin_row,
            "tr_close": self._end_row,
            "table_close": self._end_table,
        }
        for token in tokens:
            if action := actions.get(token.type):
                action(token)
        return [block for block in self._blocks if block.strip()]

    def _begin_item(self, token: Token) -> None:
        if token.info:
            self._number += f"{token.info}{token.markup} "
        self._begins_item = True

    def _end_item(self, _: Token) -> None:
        if self._number:  # the item has no text
            self._blocks.append(self._number)
        self._number, self._begins_item = "", False

    def _text(self, token: Token) -> None:
        spoken = self._inline(token.children or ())
        if self._row is not None:
            self._row.append(_LINE_END.sub(", ", spoken.strip()))
            return
        if self._begins_item and (box := _CHECKBOX.match(spoken)):
            spoken = spoken[box.end() :]
        spoken = _ALERT.sub(lambda alert: f"{alert[1].capitalize()}\n\n", spoken, count=1)
        self._blocks.append(self._number + spoken)
        self._number, self._begins_item = "", False

    def _code(self, token: Token) -> None:
        first, end = token.map or (0, 0)
        closed = end - first > 1 and _FENCE_END.fullmatch(self._lines[end - 1])
        if not (closed or token.info.strip() or self._in_fence):
            # Without an end and a language it is the end of a block that another request began.
            self._blocks += _Reader(self._on_tag, speak_code=self._speak_code, in_fence=True).read(token.content)
        elif self._speak_code:
            self._blocks.append(token.content)

    def _begin_row(self, _: Token) -> None:
        self._row = []

    def _end_row(self, _: Token) -> None:
        cells, self._row = self._row or [], None
        if self._header is None:
            self._header, self._rows = cells, 0
            return
        self._repeatable -= sum(map(len, self._header))
        names = self._header if self._repeatable >= 0 else [""] * len(cells)
        named = zip(names, cells, strict=True)
        self._blocks.append(", ".join(f"{name.rstrip(':')}: {cell}" if name else cell for name, cell in named if cell))
        self._rows += 1

    def _end_table(self, _: Token) -> None:
        if not self._rows:
            self._blocks.append(", ".join(filter(None, self._header or ())))
        self._header = None

    def _inline(self, tokens: Sequence[Token]) -> str:
        return _STRAY_BOLD.sub("", _HIGHLIGHT.sub(r"\1", "".join(map(self._piece, tokens))))

    def _piece(self, token: Token) -> str:
        if token.type == "text":
            return _FOOTNOTE.sub(lambda mark: "\n\n" if mark["definition"] else "", token.content)
        if token.type == "image":
            return self._inline(token.children or ())
        if token.type == "tag":
            return self._on_tag(token.content)
        return _BREAKS.get(token.type, token.content)
