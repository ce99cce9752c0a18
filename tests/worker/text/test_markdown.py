"""What is heard of Markdown, and which texts only look a little like it."""
# ruff: noqa: RUF001 - the marks of other scripts are meant

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttscontract.worker_config import Markup, Tags
from ttsworker.text import split_sentences, spoken_form
from ttsworker.text.markup import InvalidMarkup, Reading, read_markup

PLAIN = [
    # arithmetic, names, marks
    "5 * 3 * 2", "5*3*2 = 30", "2**8", "a*b*c", "2 ** 3", "* 5 = 10", "-5", "- 5 degrees", "+ 5 points", "~5 and ~6",
    "a == b and c == d", "a==b", "if x_1 > y_2", "$*$", "$*$ and $*$", "$x_1 * y_2$", "f(x)[i](y)", "x[1](2)", "3 > 2",
    "#1 fan", "# of items: 5", "We are #1", "#hashtag and #another", "C# and F#", "##", "###",
    "snake_case_name", "I_am", "_", "__init__", "__init__ and __name__",
    "_____ is the capital of France.", "a_b_c and _d",
    "https://example.org/_foo_/a_b_c_", "https://en.wikipedia.org/wiki/A_(B)_C", "www.example.org/*a*b", "me_too@x.org",
    "C:\\_foo\\_bar", "src/**/*.py", "*.txt and *.md", "/** comment */", "A* and B*", "(*) see below*",
    "5* hotel", "Hotel ***",
    "f*** and s**t", "What the f***!", "*", "**", "* * ", "\\*not\\*", "\\`not\\`",
    # dialogues and lists that are read as they are
    "1. It is", "1. One\n2. Two", "2020. A year.", "- yes\n- no", "- Yes.\n- No.\n- Why?", "— Yes.", "[Anna]: Hello.",
    "[Anna]: Yes/no.", "[1] and [2]", "(1) first", "a) b", "See [1].", "I [laughs] am", "[pause]", "[x]",
    # letters and quotes
    "don`t and can`t", "`Tis the season", "``quoted'' and `quoted'", "rock `n' roll",
    # faces and arrows
    "^_^", "^_^ hi ^_^", ">_<", ">.<", ">:(", "-_-", "T_T", "o_O", "¯\\_(ツ)_/¯", "-> next", "=> next", "<- back",
    "--", "---x",
    "> 5 people", "> 5%", ">> \"Quote\"", "a | b | c", "5 | 6", "yes|no", "~", "~~", "=", "==", "a = b", "===",
    # bold and emphasis have no space inside
    "** not bold **", "_ not _", "` not `", "~~ not ~~", "== not ==", "[not] (a link)",
    "", " ", "\n\n", "  two  spaces  ", "Tab\tand\nline  \nend", "No. 5 is alive!", "1 < 2 > 0",
    "List<String> press <enter>",
    "你好，世界。*", "مرحبا *", "５＊３",
]  # fmt: skip

CASES: list[tuple[str, list[str]]] = [
    # headings
    ("### Heading\nThe text goes on", ["Heading", "The text goes on"]),
    ("# One\n## Two ##\nText", ["One", "Two", "Text"]),
    ("##Heading\nText", ["Heading", "Text"]),
    ("Title\n=====\nText", ["Title", "Text"]),
    ("**A**\n\nTitle\n-----\nText", ["A", "Title", "Text"]),
    ("## 1. **Bold** title: `code`", ["1. Bold title: code"]),
    # quotations
    ("> To be\n> or not.", ["To be or not."]),
    ("> a\n>> b", ["a", "b"]),
    ("> “Quote me,” she said.", ["“Quote me,” she said."]),
    ("> **Tip:** rest.", ["Tip: rest."]),
    ("> [!NOTE]\n> Mind the gap.", ["Note", "Mind the gap."]),
    # emphasis
    ("It is **very** good.", ["It is very good."]),
    ("It is *very* good.", ["It is very good."]),
    ("It is _very_ good.", ["It is very good."]),
    ("__It is__ good.", ["It is good."]),
    ("***Both*** of **them *here***", ["Both of them here"]),
    (
        "**Note:** 5*3 = 15, 2**8, a*b*c and 5 * 3",
        ["Note: 5 times 3 = 15, 2 to the power of 8, a times b times c and 5 times 3"],
    ),
    ("**Note:** snake_case_name, I_am, #1 and don`t, can`t", ["Note: snake_case_name, I_am, #1 and don't, can't"]),
    ("*sighs* Well.", ["sighs Well."]),
    ("**Bold that goes on.", ["Bold that goes on."]),
    ("It ends here.**", ["It ends here."]),
    ("**重点：**内容", ["重点：内容"]),
    ("**안녕(hello)**은", ["안녕(hello)은"]),
    ("これは**重要**です。", ["これは重要です。"]),
    ("\\*not\\* **bold**", ["*not* bold"]),
    ("**Note:** $*$ and $*$", ["Note: $*$ and $*$"]),
    ("It costs **$5**.", ["It costs 5 dollars."]),
    # strikethrough and highlights
    ("~~old~~ new", ["old new"]),
    ("==high== and ==**higher**==, a == b", ["high and higher, a == b"]),
    # code
    ("Before\n\n```python\nprint(1)\n```\nAfter", ["Before", "After"]),
    ("~~~\nx\n~~~\nAfter", ["After"]),
    ("- Run:\n\n  ```sh\n  ls\n  ```\n- **Done**", ["Run:", "Done"]),
    ("```html\n<script>alert(1)</script>\n```\nA page.", ["A page."]),
    ("```python\nprint(1)", []),
    ("```\nNow **run** it.", ["Now run it."]),
    ("Run `kubectl get pods` and ``a ` b``.", ["Run kubectl get pods and a ` b."]),
    ("The `Pod`s and the `<br>` tag", ["The Pods and the <br> tag"]),
    ("**One**\n\n    indented", ["One", "indented"]),
    # links and images
    ("See [the page](https://example.org/a_b?c=d \"Title\").", ["See the page."]),
    ("See [the **page**][1] or [2].\n\n[1]: https://x.org \"T\"\n[2]: <https://x.org/b>", ["See the page or 2."]),
    ("![A *red* cat](cat.png) sits.", ["A red cat sits."]),
    ("[![Build](badge.svg)](https://ci.example.org)", ["Build"]),
    ("Text [](https://example.org/x) goes on", ["Text goes on"]),
    ("**a** <https://example.org>", ["a example dot org"]),
    ("**a** https://x.org/_b_/c_d", ["a x dot org slash underscore b underscore slash c underscore d"]),
    ("**[Anna]:** Hello.\n\n[Anna]: Hello.", ["[Anna]: Hello.", "[Anna]: Hello."]),
    # tables
    ("| Name | Age |\n|---|---:|\n| **Anna** | 30 |\n| Ben | |", ["Name: Anna, Age: 30", "Name: Ben"]),
    ("a | b\n--|--\n1 | 2\n\nText", ["a: 1, b: 2", "Text"]),
    ("| A |\n|---|\n| 1 |", ["A: 1"]),
    ("| A: | |\n|---|---|\n| 1 | x\\|y |", ["A: 1, x|y"]),
    ("| A | B |\n|---|---|", ["A, B"]),
    # lists
    ("* one\n* two\n  * three", ["one", "two", "three"]),
    ("* 2 apples\n* 3 pears", ["2 apples", "3 pears"]),
    ("**List**\n- one\n- two", ["List", "one", "two"]),
    ("1. **one**\n2. two\n   - sub\n10. ten", ["1. one", "2. two", "sub", "10. ten"]),
    ("3) **three**\n4) four", ["3) three", "4) four"]),
    ("- [ ] Buy milk\n- [x] Buy bread", ["Buy milk", "Buy bread"]),
    ("1.\n2. **two**", ["1.", "2. two"]),
    ("1. - **one**", ["1. one"]),
    ("2020. A **good** year.", ["2020.", "A good year."]),
    # rules, ends of lines and footnotes
    ("Above\n\n---\n\nBelow", ["Above", "Below"]),
    ("Above\n***\nBelow\n\n* * *\n\n___", ["Above", "Below"]),
    ("**Roses** are red,  \nviolets are blue", ["Roses are red,", "violets are blue"]),
    ("It is so.[^1] No.[^b]\n\n[^1]: As said.\n[^b]: Elsewhere.", ["It is so.", "No.", "As said.", "Elsewhere."]),
    # references of HTML
    ("**K&amp;R** &lt;b&gt; &#42;&#42;x&#42;&#42;", ["K&R <b> **x**"]),
]  # fmt: skip


def heard(text: str, reading: Reading | None = None) -> str:
    [passage] = read_markup(text, reading or Reading())
    return passage.text


@pytest.mark.parametrize("text", PLAIN)
def test_a_text_that_is_no_markdown_is_not_changed(text: str) -> None:
    assert heard(text) == text


@pytest.mark.parametrize(("text", "sentences"), CASES)
def test_what_is_heard_of_markdown(text: str, sentences: list[str]) -> None:
    assert [" ".join(each.split()) for each in split_sentences(spoken_form(heard(text), "en"))] == sentences


@pytest.mark.parametrize(("text", "_"), CASES)
def test_plain_is_the_text_as_it_is(text: str, _: list[str]) -> None:
    if "&" not in text and "<" not in text:
        assert heard(text, Reading(Markup.PLAIN)) == text


def test_markdown_that_is_asked_for_needs_no_sign() -> None:
    assert heard("- yes\n- no", Reading(Markup.MARKDOWN)) == "yes\n\nno"
    assert heard("1. One\n2. Two", Reading(Markup.MARKDOWN)) == "1. One\n\n2. Two"


def test_code_is_spoken_where_that_is_set() -> None:
    text = "Run:\n```sh\nmake demo\n```"
    assert heard(text, Reading(speak_code=True)).split() == ["Run:", "make", "demo"]
    assert heard(text).split() == ["Run:"]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("**One**<br>two", ["One", "two"]),
        ("| A |\n|---|\n| 1<br>2 |", ["A: 1, 2"]),
        ("<think>**Hm**\n\n# Ah</think>\n# Title", ["Title"]),
        ("**a** <b>b</b> `<b>`", ["a b <b>"]),
        ("<div>\n\n**Bold**\n\n</div>", ["Bold"]),
        ("# A\n<script>\n\nalert(1)\n\n</script>\nB", ["A", "B"]),
        ("**a** <!-- b\n\nc -->d", ["a d"]),
    ],
)
def test_tags_are_removed_from_markdown(text: str, spoken: list[str]) -> None:
    assert split_sentences(heard(text, Reading(tags=Tags.STRIP)).replace("  ", " ")) == spoken


@pytest.mark.parametrize("text", ["**a** <b>b</b>", "# <script>", "- **x** <br>", "| <b>a</b> |\n|---|"])
def test_tags_are_refused_in_markdown_but_not_in_its_code(text: str) -> None:
    with pytest.raises(InvalidMarkup, match="has markup"):
        heard(text)
    assert heard(f"`{text}`".replace("\n", " ").replace("# ", "").replace("- ", ""))


@pytest.mark.parametrize("text", [">" * 50 + " **deep**", "- " * 30 + "**deep**", "> - " * 15 + "**deep**"])
def test_nothing_is_lost_of_a_text_that_is_nested_too_deeply(text: str) -> None:
    assert heard(text) == text


def test_a_table_with_very_many_columns_is_read_as_a_text() -> None:
    wide = "|a" * 30 + "|\n" + "|-" * 30 + "|\n" + "|\n" * 500
    assert len(heard(wide)) <= len(wide)


@pytest.mark.parametrize(
    "mark",
    ["[", "![", "[a](", "*", "**a ", "*a_", "`", "> ", ">", "- ", "1. ", "#", "|-", "|-\n", "~~", "==a", "<", "<a", "&",
     "\\", "[a]: http://x\n", "[^1]", "```\n", "~~~~\n```\n", "http://_", "__a", "_a ", "a\n=", "\n", "$*", "(", "]("],
)  # fmt: skip
@pytest.mark.parametrize("markup", [Markup.AUTO, Markup.MARKDOWN])
def test_the_strangest_long_texts_are_read(mark: str, markup: Markup) -> None:
    assert len(heard((mark * 50_000)[:50_000], Reading(markup))) <= 100_000


def test_a_table_does_not_multiply_its_header() -> None:
    table = f"| {'A' * 2000} |\n|---|\n" + "| b |\n" * 500
    assert len(heard(table)) < 2.5 * len(table)
    assert heard(table).count("b") == 500


NAMES = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]
WORDS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=6)
MARKED = [
    "{}",
    "**{}**",
    "*{}*",
    "_{}_",
    "~~{}~~",
    "=={}==",
    "`{}`",
    "[{}](https://example.org/x_y)",
    "![{}](a.png)",
    "__{}__",
]
BLOCKS = ["{}", "# {}", "- {}", "1. {}", "> {}", "- [ ] {}", "{}[^1]", "{}\n\n---", "| {} |\n|---|"]


@given(st.lists(st.tuples(WORDS, st.sampled_from(MARKED), st.sampled_from(BLOCKS)), min_size=1, max_size=6))
def test_every_word_is_heard_in_its_order(parts: list[tuple[list[str], str, str]]) -> None:
    blocks = [block.format(" ".join(mark.format(word) for word in words)) for words, mark, block in parts]
    text = heard("\n\n".join(blocks), Reading(Markup.MARKDOWN))
    said = [word for word in text.replace("\n", " ").replace(",", "").split() if word.isalpha()]
    assert said == [word for words, _, _ in parts for word in words]


MARKS = st.sampled_from("ab 1\n*_`#>-|[](){}!~=:\\.<&;/")
CHARACTERS = MARKS | st.characters(exclude_categories=["Cs"])  # halves of surrogate pairs were refused before


@given(st.text(CHARACTERS, max_size=200), st.sampled_from(Tags))
def test_every_text_is_read_or_refused(text: str, tags: Tags) -> None:
    for markup in Markup:
        try:
            read_markup(text, Reading(markup, tags))
        except InvalidMarkup:
            continue
