"""Tell whether a text is Markdown, by marks that other texts do not have. Linear in the text."""

# ruff: noqa: RUF001 - the marks are intended

import re

_ADDRESS = re.compile(r"://[^\s<>()\[\]*`]+")
"""Of an address: it may have the marks of emphasis in it."""

BOLD_BEGINS = r"(?<![\w*\\])\*{2,3}(?=[^\s*$/).,;:!?])"
BOLD_ENDS = r"(?<=[^\s*\d\\$/(\[])\*\*(?![\w*])"
_BEGINS = r"(?<![^\s(\[{\"'“‘«_~—–])"
"""Before emphasis: not $*$ and not ^_^."""
_FIRST = r"(?=[^\s*_$).,;:!?])"
"""After what begins emphasis."""
_UNSPACED = "\u0e00-\u0eff\u1100-\u11ff\u3000-\u9fff\uac00-\ud7af\uff00-\uffef"
"""Scripts in which emphasis has no spaces around it."""
_LATIN = "A-Za-z\u00c0-\u024f"

_SIGNS = [
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        # blocks
        r"^[ \t>]*#{1,6}[ \t]+(?!of\b)\S",  # a heading, but not "# of items"
        r"^ {0,3}#{2,6}[^\W\d_]",  # one without a space
        r"\S[ \t]*\n={3,}[ \t]*$",  # one that is underlined
        r"^[ \t>]*(?:```|~~~)",  # code
        r"^ {0,3}(?:>[ \t]?)*>[ \t]+[^\W\d_]|^ {0,3}> [\"“„«‘*_`\[]",  # a quotation
        r"^[ \t]*\*[ \t]+[^\W\d_]",  # a list with stars; one with hyphens may be a dialogue
        r"^[ \t]*\*[ \t]+\S[^\n]*\n[ \t]*\*[ \t]+\S",  # one of numbers
        r"^[ \t]*[-*+][ \t]\[[ xX]\][ \t]",  # a list of tasks
        r"^ {0,3}(?:-[ \t]*){3,}$|^ {0,3}(?:\*[ \t]*){3,}$|^ {0,3}(?:_[ \t]*){3,}$",  # a rule
        r"^[ \t>]*(?:\|[ \t]*)?:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)+\|?[ \t]*$",  # a table
        r"^[ \t>]*\|[ \t]*:?-+:?[ \t]*\|[ \t]*$",  # one of a single column
        r"^ {0,3}\[[^\[\]\n]+\]:[ \t]*<?(?:https?://|mailto:|www\.|#|\.{0,2}/)\S",  # the address of a link
        # in lines
        rf"{BOLD_BEGINS}|{BOLD_ENDS}",  # also one of the two: clients send sentence by sentence
        rf"{_BEGINS}\*\*(?=[^\s*])[^*\n]*(?<=[^\s*\\])\*\*(?![\w*])",
        rf"[{_UNSPACED}]\*\*[^\s*]|[^\s*]\*\*[{_UNSPACED}]",
        rf"{_BEGINS}\*{_FIRST}[^*\n]*(?<=[^\s*\\])\*(?![\w*])",
        rf"{_BEGINS}_{_FIRST}[^_\n]*(?<=[^\s_\\])_(?!\w)",
        rf"{_BEGINS}__(?=[^\W_]+[^\w\n])[^_\n]*(?<=[^\s_\\])__(?!\w)",  # but not __init__
        r"(?<![\w~])~~(?=[^\s~])[^~\n]*(?<=[^\s~])~~",
        r"(?<![\w=])==(?=[^\s=])[^=\n]*(?<=[^\s=])==(?![\w=])",
        rf"(?<![{_LATIN}`\\])(`+)(?=[^\s`])[^`\n]*(?<=[^\s`])\1(?!`)(?:(?![{_LATIN}])|(?=e?s\b))",
        r"\]\([ \t]*<?[^\s()<>]*[/.:#][^\s()<>]*",  # a link
        r"\[\^[\w-]{1,64}\]",  # a footnote
    )
]


def is_markdown(text: str) -> bool:
    """Return whether a text has a mark of Markdown that means nothing else."""
    bare = _ADDRESS.sub("://", text)
    return any(sign.search(bare) for sign in _SIGNS)
