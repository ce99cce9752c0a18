"""The Markdown parser: CommonMark with GitHub's tables and strikethrough, and what speech needs beside it."""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, reference, table
from markdown_it.rules_inline import StateInline

from ttsworker.text.markup.tags import TAG

MAX_NESTING = 20
"""Quotations and lists in one another. The parser's time is proportional to it, and beyond it text would be lost."""

_MAX_COLUMNS = 20
"""Of a table: the parser fills short rows up, so a wide table of empty rows would cost much more than its length."""

_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_STARS = re.compile(r"\*+")
_ADDRESS = re.compile(r"://[\w./?=&%#~+:@!,;$-]*(?:[^\W_]|/)")
_DEFINITION = re.compile(r"\[(?!\^)[^\[\]]+\]:[ \t]*<?(?:[A-Za-z][A-Za-z0-9+.-]*://|mailto:|www\.|#|\.{0,2}/)\S")


def make_parser() -> MarkdownIt:
    """Return a parser whose tokens have the type `tag` for tags of HTML; character references stay as they are."""
    parser = MarkdownIt("js-default", {"html": False, "maxNesting": MAX_NESTING})
    parser.disable(["code", "entity", "html_block", "html_inline", "linkify", "replacements", "smartquotes"])
    parser.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    parser.block.ruler.at("reference", _reference)
    parser.inline.ruler.before("backticks", "apostrophe", _apostrophe)
    parser.inline.ruler.before("emphasis", "arithmetic", _arithmetic)
    parser.inline.ruler.before("autolink", "tag", _tag)
    parser.inline.ruler.push("address", _address)
    return parser


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - the parser's callback
    line = state.src[state.bMarks[start] : state.eMarks[start]]
    return line.count("|") <= _MAX_COLUMNS + 1 and table(state, start, end, silent)


def _reference(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - the parser's callback
    """Read the address of a link; "[Anna]: Hello." and "[^1]: A footnote." are to be heard."""
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    return bool(_DEFINITION.match(line)) and reference(state, start, end, silent)


def _apostrophe(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the parser's callback
    """Keep a backtick within a word: don`t."""
    around = state.src[state.pos - 1 : state.pos] + state.src[state.pos + 1 : state.pos + 2]
    return state.src[state.pos] == "`" and len(_LATIN.findall(around)) == 2 and _keep(state, "`", silent=silent)


def _arithmetic(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the parser's callback
    """Keep the stars of 5*3*2, a*b*c and 2**8, which would be emphasis."""
    stars = _STARS.match(state.src, state.pos)
    if not stars:
        return False
    before, after = state.src[max(0, stars.start() - 2) : stars.start()], state.src[stars.end() : stars.end() + 2]
    if not (_is_operand(before[::-1], ")]$") and _is_operand(after, "([$")):
        return False
    return _keep(state, stars[0], silent=silent)


def _is_operand(characters: str, brackets: str) -> bool:
    """Return whether a number, a single letter or a bracket comes first."""
    if not characters.isascii():
        return False
    first, second = characters[:1], characters[1:]
    return first.isdecimal() or (first != "" and first in brackets) or (first.isalpha() and not second.isalpha())


def _tag(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the parser's callback
    tag = TAG.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "<" else None
    if not tag:
        return False
    if not silent:
        state.push("tag", "", 0).content = tag[0]
    state.pos = tag.end()
    return True


def _address(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the parser's callback
    """Keep the underscores of an address."""
    rest = _ADDRESS.match(state.src, state.pos, state.posMax)
    return rest is not None and _keep(state, rest[0], silent=silent)


def _keep(state: StateInline, text: str, *, silent: bool) -> bool:
    if not silent:
        state.append_pending(text)
    state.pos += len(text)
    return True
