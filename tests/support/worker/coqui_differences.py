"""Every difference between tts-server and our worker, with its reason; `docs/coqui-api.md` has the same list.

Printed by `python -m tests.support.worker.coqui_differences`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.worker.coqui_table import OPENAI, PROCESS, SPEAK, A, Ask, ask, get, post

TOO_LONG = "hello" + "日" * 4092  # one character too many, of which the model knows but five
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Difference:
    """What both answer to every one of these requests: the status and our error's code, then words after a colon."""

    what: str
    theirs: str
    ours: str
    why: str
    asks: Sequence[Ask]


DIFFERENCES: Sequence[Difference] = (
    Difference(
        "The first voice is spoken where none is asked for",
        "500", "200", "a client need not know the voices to hear one; tts-server has `--speaker_idx` for it",
        [
            get("no speaker", model="several", text=A),
            get("an empty speaker", model="several", text=A, speaker_id=""),
            get("the default speaker", model="several", text=A, speaker_id="default"),
            get("no MaryTTS voice", PROCESS, "several", INPUT_TEXT=A),
            get("an empty MaryTTS voice", PROCESS, INPUT_TEXT=A, VOICE=""),
            get("a single MaryTTS voice by its name", PROCESS, INPUT_TEXT=A, VOICE="default"),
            ask("no voice in OpenAI's route", "POST", OPENAI, "several", json={"input": A, "response_format": "wav"}),
        ],
    ),
    Difference(
        "An unknown speaker or voice",
        "500", "400 `unknown_voice`", "the request is wrong, not the server",
        [
            get("an unknown speaker", model="several", text=A, speaker_id="nobody"),
            post("an unknown speaker in a form", model="several", text=A, speaker_id="nobody"),
            ask("an unknown speaker in a header", "GET", SPEAK, "several",
                params={"text": A}, headers={"speaker-id": "nobody"}),
            get("an unknown MaryTTS voice", PROCESS, "several", INPUT_TEXT=A, VOICE="nobody"),
            get("an unknown voice of a single speaker", PROCESS, INPUT_TEXT=A, VOICE="nobody"),
            post("an unknown voice in a MaryTTS form", PROCESS, "several", INPUT_TEXT=A, VOICE="nobody"),
            ask("an unknown voice in OpenAI's route", "POST", OPENAI, "several",
                json={"input": A, "voice": "nobody", "response_format": "wav"}),
        ],
    ),
    Difference(
        "The voice that MaryTTS's clients send by default, `cmu-slt-hsmm`", "500", "200: the default voice",
        "Home Assistant's sends it until somebody configures another one",
        [
            get("Home Assistant's voice", PROCESS, INPUT_TEXT=A, VOICE="cmu-slt-hsmm"),
            get("Home Assistant's voice and locale", PROCESS, "polyglot", INPUT_TEXT=A, VOICE="cmu-slt-hsmm",
                LOCALE="en_US"),
        ],
    ),
    Difference(
        "An unknown language", "500", "400 `unknown_language`", "the request is wrong, not the server",
        [
            get("an unknown language", model="polyglot", text=A, speaker_id="anna", language_id="tlh"),
            ask("an unknown language in a header", "GET", SPEAK, "polyglot",
                params={"text": A, "speaker_id": "anna"}, headers={"language-id": "tlh"}),
        ],
    ),
    Difference(
        "An empty `language_id` where there are several", "500", "200", "it is English, as without the parameter",
        [get("an empty language", model="polyglot", text=A, speaker_id="anna", language_id="")],
    ),
    Difference(
        "MaryTTS with a model of several languages", "500", "200", "`LOCALE` chooses the language, else it is English",
        [
            get("MaryTTS without a locale", PROCESS, "polyglot", INPUT_TEXT=A, VOICE="anna"),
            get("MaryTTS with a locale", PROCESS, "polyglot", INPUT_TEXT=A, VOICE="anna", LOCALE="de"),
            get("MaryTTS with a region", PROCESS, "polyglot", INPUT_TEXT=A, VOICE="anna", LOCALE="de_DE"),
        ],
    ),
    Difference(
        "MaryTTS or OpenAI's route without a text", "500", "400 `empty_text`", "the request is wrong, not the server",
        [
            get("no MaryTTS text", PROCESS),
            get("an empty MaryTTS text", PROCESS, "several", INPUT_TEXT="", VOICE="ben"),
            post("an empty MaryTTS form", PROCESS),
            ask("a MaryTTS text in the query of a POST", "POST", PROCESS, params={"INPUT_TEXT": A}),
            ask("a MaryTTS text in a multipart form", "POST", PROCESS, files={"INPUT_TEXT": (None, A)}),
            ask("an empty text in OpenAI's route", "POST", OPENAI, json={"input": "", "response_format": "wav"}),
        ],
    ),
    Difference(
        "`style_wav` that is neither JSON nor a file of the server", "500", "400 `unsupported_parameter`",
        "no engine here takes a style",
        [
            get("an unknown style", text=A, style_wav="/nowhere/style.wav"),
            post("an unknown style in a form", text=A, style_wav="sad"),
            ask("an unknown style in a header", "GET", SPEAK, params={"text": A}, headers={"style-wav": "sad"}),
        ],
    ),
    Difference(
        "A `style_wav` or `speaker_wav` that a model without styles or cloning is sent",
        "200: without effect", "400 `unsupported_parameter`",
        "a client that asks for a style or a voice must not get another one; and a path in a request is never opened",
        [
            get("a style of tokens", text=A, style_wav='{"0": 0.1}'),
            get("a file as a speaker", text=A, speaker_wav="/etc/passwd"),
            post("a file as a speaker in a form", text=A, speaker_wav="/etc/passwd"),
            ask("a file as a speaker in a header", "GET", SPEAK, params={"text": A},
                headers={"speaker-wav": "/etc/passwd"}),
            get("a file and a speaker", model="several", text=A, speaker_id="ben", speaker_wav="/etc/passwd"),
        ],
    ),
    Difference(
        "A text of more than `max_text_length` characters", "200", "400 `text_too_long`",
        "one request must not keep all the others waiting for minutes",
        [
            post("a very long text", text=TOO_LONG),
            post("a very long MaryTTS text", PROCESS, INPUT_TEXT=TOO_LONG),
        ],
    ),
    Difference(
        "A long sentence", "200: spoken in one piece", "200: in pieces of at most 250 characters",
        "the first audio comes soon, and memory stays bounded",
        [get("a long sentence", text="word " * 80)],
    ),
    Difference(
        "Control characters", "200: ignored", "400 `control_character`",
        "they are no text; something went wrong before the request was sent",
        [get("a NUL", text="a\0b"), get("a NUL for MaryTTS", PROCESS, INPUT_TEXT="a\0b")],
    ),
    Difference(
        "A text without any character that the model knows", "200: noise", "400 `nothing_to_speak`",
        "a noise is not what was asked for",
        [get("no known character", text="日本語"), get("no known character for MaryTTS", PROCESS, INPUT_TEXT="日本語")],
    ),
    Difference(
        "A query that is not UTF-8", "200: as `%FF`, or as U+FFFD", "400 `invalid_query`",
        "what it means cannot be known",
        [
            ask("a query that is not UTF-8", "GET", f"{SPEAK}?text=hello+%FF"),
            ask("a MaryTTS query that is not UTF-8", "GET", f"{PROCESS}?INPUT_TEXT=hello+%FF"),
        ],
    ),
    Difference(
        "A form that is not UTF-8", "200: as `%FF`, or as U+FFFD", "400 `invalid_form`",
        "what it means cannot be known",
        [
            ask("a form that is not UTF-8", "POST", SPEAK, content=b"text=hello+%FF", headers=FORM),
            ask("a MaryTTS form that is not UTF-8", "POST", PROCESS, content=b"INPUT_TEXT=hello+%FF"),
        ],
    ),
    Difference(
        "`OPTIONS`", "200", "204", "both name the methods in `Allow`, and neither has a body",
        [ask("the options of speech", "OPTIONS", SPEAK), ask("the options of the voices", "OPTIONS", "/voices")],
    ),
    Difference(
        "A path with a `/` too many", "404", "200: as without it", "clients join a base URL and a path in many ways",
        [ask("a slash too many", "GET", f"{SPEAK}/", params={"text": A})],
    ),
    Difference(
        "`/voices` of a model with one speaker", "200: the model, by its default `--model_name`",
        "200: the voice, by the name that `VOICE` takes", "tts-server answers 500 to the name that it lists",
        [get("the voices of a single speaker", "/voices")],
    ),
    Difference(
        "`/locales` of a model with several languages", "200: the language in its `--model_name`",
        "200: every language, a line each", "each of them may be asked for",
        [get("the locales of several languages", "/locales", "polyglot")],
    ),
    Difference(
        "`/voices` of a model with several languages", "200: with the language in its `--model_name`",
        "200: with the model's first language", "tts-server does not look at the model",
        [get("the voices of several languages", "/voices", "polyglot")],
    ),
    Difference(
        "`/details`", "200: a hint at `--show_details`; with it arguments, paths and all of the configuration",
        "200: the model, its voices, and settings without paths or secrets", "anybody may see it",
        [get("the details", "/details")],
    ),
    Difference(
        "`/static/...`", "200", "404 `not_found`", "the page here needs no other file",
        [get("the logo", "/static/coqui-log-green-TTS.png")],
    ),
    Difference(
        "`/`", "200: its page", "200: [another page](worker.md#the-page)", "it plays while the speech is being made",
        [get("the page", "/")],
    ),
    Difference(
        "OpenAI's route: `pcm`", "200: `audio/L16`, at the model's rate", "200: `audio/pcm`, 24 kHz",
        "OpenAI's clients expect 24 kHz; samples of `audio/L16` are big endian by its RFC, and tts-server's are not",
        [ask("PCM", "POST", OPENAI, json={"input": A, "response_format": "pcm", "stream": False})],
    ),
    Difference(
        "OpenAI's route: `speed` with a VITS", "200: without effect", "200: faster or slower", "it was asked for",
        [ask("a speed", "POST", OPENAI, json={"input": A, "response_format": "wav", "speed": 2.0, "stream": False})],
    ),
    Difference(
        "OpenAI's route: a `voice` that a model with one speaker does not have",
        "200: the one voice", "400 `unknown_voice`", "a client that asks for a voice must not get another one; "
        "OpenAI's names speak on both",
        [ask("nobody", "POST", OPENAI, json={"input": A, "voice": "nobody", "response_format": "wav"})],
    ),
    Difference(
        "OpenAI's route: a body that is not JSON", "400: `text/html`", "400 `invalid_json`", "errors have one shape",
        [ask("no JSON", "POST", OPENAI, content=b"{")],
    ),
    Difference(
        "OpenAI's route: JSON that is no object, or values of a wrong type", "500", "400 `invalid_value`",
        "the request is wrong, not the server",
        [
            ask("a list", "POST", OPENAI, json=[A]),
            ask("a number as text", "POST", OPENAI, json={"input": 5, "response_format": "wav"}),
        ],
    ),
)  # fmt: skip

ALWAYS: Sequence[tuple[str, str, str, str]] = (
    (
        "The end of the audio", "10,000 zeros after each sentence, the last included", "10,000 zeros between sentences",
        "silence at the end only makes everybody wait",
    ),
    (
        "Volume", "scaled so that the loudest sample is 32,767", "as the model made it",
        "how loud the end will be is not known when the beginning is sent; a sentence sounds alike in every text",
    ),
    (
        "Errors", '500 and HTML, or `{"error": "..."}`', "[one JSON shape](speech-api.md#errors)",
        "programs can read it",
    ),
)  # fmt: skip
"""Differences of every answer, which the comparison itself takes for granted and would fail without."""


def in_markdown() -> str:
    """Return the list as docs/coqui-api.md has it."""
    rows = [*ALWAYS, *((each.what, each.theirs, each.ours, each.why) for each in DIFFERENCES)]
    lines = [" | ".join(row) for row in (("what", "tts-server", "here", "because"), ("---",) * 4, *rows)]
    return "".join(f"| {line} |\n" for line in lines)


if __name__ == "__main__":
    print(in_markdown(), end="")  # noqa: T201 - a program of its own
