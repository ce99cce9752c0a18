"""A log line is one JSON object, whatever a record holds, in both programs."""

import io
import json
import logging
import math
import subprocess
import sys
from typing import Any

import pytest

from ttscontract.log_line import escaped
from ttsoperator.logs import JsonFormatter as OperatorsFormatter
from ttsworker.observe.logs import JsonFormatter as WorkersFormatter


class Mute:
    """An object that cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


class Output:
    """A logger of one of the programs, and what it wrote."""

    def __init__(self, formatter: logging.Formatter) -> None:
        self._stream = io.StringIO()
        handler = logging.StreamHandler(self._stream)
        handler.setFormatter(formatter)
        self.log = logging.Logger("here")
        self.log.addHandler(handler)

    def written(self) -> str:
        return self._stream.getvalue().removesuffix("\n")

    def line(self) -> dict[str, Any]:
        [text] = self._stream.getvalue().splitlines()
        found: dict[str, Any] = json.loads(text, parse_constant=_refuse)
        return found


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


@pytest.fixture(params=[OperatorsFormatter, WorkersFormatter], ids=["operator", "worker"])
def output(request: pytest.FixtureRequest) -> Output:
    return Output(request.param())


CYCLE: dict[str, Any] = {}
CYCLE["self"] = CYCLE
DEEP: list[Any] = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({("a", 1): 2}, "{('a', 1): 2}"),
        ({1: 2}, {"1": 2}),
        (CYCLE, "{'self': {...}}"),
        (math.nan, "nan"),
        ([1.5, -math.inf], "[1.5, -inf]"),
        (Mute(), "<Mute: str() raises RuntimeError>"),
        ([Mute()], ["<Mute: str() raises RuntimeError>"]),
        ({Mute()}, "<set: str() raises RuntimeError>"),
        (10**5000, "<int: str() raises ValueError>"),
        (DEEP, "<list: str() raises RecursionError>"),
        ("half a pair \ud83d", "half a pair \ud83d"),
    ],
    ids=[
        "tuple key",
        "number key",
        "cycle",
        "nan",
        "inf",
        "mute",
        "mute in list",
        "mute in set",
        "long",
        "deep",
        "half",
    ],
)
def test_any_value_is_written(output: Output, value: object, written: object) -> None:
    output.log.info("it", extra={"thing": value, "other": 1})
    line = output.line()
    assert (line["message"], line["thing"], line["other"]) == ("it", written, 1)


def test_any_key_is_written(output: Output) -> None:
    extra: dict[Any, object] = {1: "one", (2, 3): "two", None: "three", Mute(): "four"}
    output.log.info("it", extra=extra)
    expected = {"1": "one", "(2, 3)": "two", "None": "three", "<Mute: str() raises RuntimeError>": "four"}
    assert expected.items() <= output.line().items()


@pytest.mark.parametrize(
    ("message", "arguments", "written"),
    [
        ("%d words", ("three",), "%d words ('three',)"),
        ("%s", (Mute(),), "%s <tuple: str() raises RuntimeError>"),
        (Mute(), (), "<Mute: str() raises RuntimeError> ()"),
    ],
    ids=["wrong argument", "mute argument", "mute message"],
)
def test_any_message_is_written(output: Output, message: object, arguments: tuple[object, ...], written: str) -> None:
    output.log.info(message, *arguments)
    assert output.line()["message"] == written


def test_the_stack_is_written(output: Output) -> None:
    output.log.info("it", stack_info=True)
    assert output.line()["stack"].startswith("Stack (most recent call last):\n")


OPERATOR = """
from ttsoperator import main as program
async def run(_settings):
    raise {error}
program.run = run
program.main()
"""
WORKER = """
import importlib, sys
from ttsworker.cli import main
async def run(_settings):
    raise {error}
importlib.import_module("ttsworker.cli.serve").run = run
sys.argv[1:] = ["serve"]
main()
"""


def run(program: str, error: str) -> subprocess.CompletedProcess[str]:
    code = program.format(error=error)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(("program", "name"), [(OPERATOR, "ttsoperator"), (WORKER, "ttsworker")])
def test_an_exception_that_ends_a_program_is_one_line_too(program: str, name: str) -> None:
    ended = run(program, "RuntimeError('two\\nlines')")
    assert (ended.returncode, ended.stdout) == (1, "")
    [line] = map(json.loads, ended.stderr.splitlines())
    assert (line["level"], line["module"]) == ("CRITICAL", name)
    assert line["message"] == "ended by an exception: RuntimeError('two\\nlines')"
    assert line["exception"].startswith("Traceback")


@pytest.mark.parametrize("program", [OPERATOR, WORKER])
def test_ctrl_c_is_quiet(program: str) -> None:
    ended = run(program, "KeyboardInterrupt")
    assert (ended.returncode, ended.stderr) == (130, "")


@pytest.mark.parametrize("program", [OPERATOR, WORKER])
def test_a_wrong_command_line_is_explained_in_plain_text(program: str) -> None:
    ended = run(f"import sys; sys.argv.append('--colour')\n{program.replace('[1:]', '[1:1]')}", "KeyboardInterrupt")
    assert ended.returncode == 2
    assert "No such option: --colour" in ended.stderr
    assert "{" not in ended.stderr


CONTROLS = [
    "\x1b[2J\x1b]0;owned\x07",  # clears a terminal and sets its title
    "\x9b31m",  # the same in one C1 character
    "\x7f\x08\x08",
    "safe\u2028{}",
    "\u202egnp.elif",  # shown as file.png
    "\u2066x\u2069",
    "\x00",
    "\ufeff",
]


@pytest.mark.parametrize("text", CONTROLS, ids=ascii)
def test_no_control_character_reaches_a_terminal(output: Output, text: str) -> None:
    output.log.error("the server says %s", text, extra={"answer": {text: [text]}})
    assert escaped(output.written()) == output.written()
    line = output.line()
    assert line["message"] == f"the server says {text}"  # JSON's escapes, so nothing is lost
    assert line["answer"] == {text: [text]}


@pytest.mark.parametrize("text", CONTROLS, ids=ascii)
def test_a_foreign_text_becomes_one_line_of_visible_characters(text: str) -> None:
    assert escaped(text).isprintable()
    assert escaped(escaped(text)) == escaped(text)


def test_ordinary_text_stays_as_it_is() -> None:
    assert escaped('Grüße, 日本語 \\ "x" - 😀') == 'Grüße, 日本語 \\ "x" - 😀'
    assert escaped("one\r\ntwo\tthree") == "one  two three"
