"""What is asked of tts-server and of our worker that both answer alike; coqui_differences.py has the rest."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

SPEAK, PROCESS, OPENAI = "/api/tts", "/process", "/v1/audio/speech"

A, B = "one two three.", "a rather longer sentence, which sounds different."


@dataclass(frozen=True)
class Ask:
    """One request, to one of the models of coqui_pair.MODELS; `more` are arguments of httpx."""

    name: str
    method: str
    path: str
    model: str
    more: dict[str, Any] = field(default_factory=dict)


def ask(name: str, method: str, path: str, model: str = "single", **more: Any) -> Ask:
    return Ask(name, method, path, model, more)


def get(name: str, path: str = SPEAK, model: str = "single", **params: str) -> Ask:
    return ask(name, "GET", path, model, params=params)


def post(name: str, path: str = SPEAK, model: str = "single", **data: str) -> Ask:
    return ask(name, "POST", path, model, data=data)


SAME: Sequence[Ask] = (
    # Where a text may be.
    get("text in the query", text=A),
    ask("text in the query of a POST", "POST", SPEAK, params={"text": A}),
    post("text in a form", text=A),
    ask("text in a multipart form", "POST", SPEAK, files={"text": (None, A)}),
    ask("text in a header", "GET", SPEAK, headers={"text": A}),
    ask("text in a header of a POST", "POST", SPEAK, headers={"Text": A}),
    ask("text in a form with a charset", "POST", SPEAK, content="text=one+two+three.",
        headers={"Content-Type": "Application/X-WWW-Form-URLencoded; charset=utf-8"}),
    # Which one counts.
    ask("a header beats the query", "GET", SPEAK, headers={"text": A}, params={"text": B}),
    ask("a header beats the form", "POST", SPEAK, headers={"text": A}, data={"text": B}),
    ask("an empty header counts for nothing", "GET", SPEAK, headers={"text": ""}, params={"text": A}),
    ask("a header that comes twice is a list", "GET", SPEAK, headers=[("text", "one"), ("text", "two")]),
    ask("the query beats the form", "POST", SPEAK, params={"text": A}, data={"text": B}),
    ask("an empty query beats the form", "POST", SPEAK, params={"text": ""}, data={"text": B}),
    ask("the first of two in the query", "GET", SPEAK, params=[("text", A), ("text", B)]),
    ask("the first of two in the form", "POST", SPEAK, data={"text": [A, B]}),
    ask("the first of two parts", "POST", SPEAK, files=[("text", (None, A)), ("text", (None, B))]),
    ask("the form of a GET does not count", "GET", SPEAK, params={"text": A}, data={"text": B}),
    ask("a form of a GET alone is no text", "GET", SPEAK, data={"text": A}),
    ask("an uploaded file is no text", "POST", SPEAK, files={"text": ("text.txt", A)}),
    ask("JSON is no form", "POST", SPEAK, json={"text": A}),
    # What a text may be.
    get("two sentences", text="the first one. the second one."),
    get("characters the model does not know", text="hello, wörld. 日本 ok"),
    get("reserved characters", text="a & b = c + d; 100 % e?"),
    ask("UTF-8 in a header", "GET", SPEAK, headers={b"text": "hello wörld".encode()}),
    get("no text"),
    get("an empty text", text=""),
    get("a blank text", text=" \t\n "),
    post("an empty form"),
    # LoadedModel, language and the rest.
    get("a single speaker's name does not matter", text=A, speaker_id="p225"),
    get("a single language's name does not matter", text=A, language_id="tlh"),
    get("empty parameters, as its page sends them", text=A, speaker_id="", language_id="", style_wav="",
        speaker_wav=""),
    get("an unknown parameter", text=A, pitch="2"),
    get("a speaker in the query", model="several", text=A, speaker_id="ben"),
    post("a speaker in a form", model="several", text=A, speaker_id="carl"),
    ask("a speaker in a header", "GET", SPEAK, "several", headers={"speaker-id": "ben", "text": A}),
    ask("a speaker's header beats the query", "GET", SPEAK, "several", headers={"LoadedModel-ID": "ben"},
        params={"text": A, "speaker_id": "anna"}),
    ask("a speaker's header with an underscore does not count", "GET", SPEAK, "several",
        headers={"speaker_id": "ben"}, params={"text": A, "speaker_id": "anna"}),
    ask("a speaker in the query with a hyphen does not count", "GET", SPEAK, "several",
        params={"speaker-id": "ben", "text": A, "speaker_id": "anna"}),
    ask("a speaker in the query beats the form", "POST", SPEAK, "several",
        params={"speaker_id": "ben"}, data={"text": A, "speaker_id": "anna"}),
    get("a language in the query", model="polyglot", text=A, speaker_id="anna", language_id="de"),
    get("another language in the query", model="polyglot", text=A, speaker_id="anna", language_id="en"),
    get("no language is English", model="polyglot", text=A, speaker_id="anna"),
    post("a language in a form", model="polyglot", text=A, speaker_id="ben", language_id="de"),
    ask("a language's header beats the query", "GET", SPEAK, "polyglot", headers={"language-id": "de"},
        params={"text": A, "speaker_id": "ben", "language_id": "en"}),
    ask("a language's header with an underscore does not count", "GET", SPEAK, "polyglot",
        headers={"language_id": "de"}, params={"text": A, "speaker_id": "ben"}),
    # MaryTTS.
    get("the locales", "/locales"),
    get("the locales of several speakers", "/locales", "several"),
    get("the voices of several speakers", "/voices", "several"),
    ask("the locales' head", "HEAD", "/locales"),
    ask("the voices' head", "HEAD", "/voices"),
    get("MaryTTS with a query", PROCESS, INPUT_TEXT=A),
    post("MaryTTS with a form", PROCESS, INPUT_TEXT=A),
    ask("MaryTTS with a form that is not called one", "POST", PROCESS, content="INPUT_TEXT=one+two+three.",
        headers={"Content-Type": "text/plain"}),
    ask("the query of a MaryTTS form does not count", "POST", PROCESS, "several",
        params={"INPUT_TEXT": B, "VOICE": "anna"}, data={"INPUT_TEXT": A, "VOICE": "ben"}),
    ask("the form of a MaryTTS query does not count", "GET", PROCESS, "several",
        params={"INPUT_TEXT": A, "VOICE": "ben"}, data={"INPUT_TEXT": B, "VOICE": "anna"}),
    ask("the first of two MaryTTS texts", "GET", PROCESS, params=[("INPUT_TEXT", A), ("INPUT_TEXT", B)]),
    ask("the first of two MaryTTS fields", "POST", PROCESS, data={"INPUT_TEXT": [A, B]}),
    get("a MaryTTS voice", PROCESS, "several", INPUT_TEXT=A, VOICE="carl"),
    get("MaryTTS's other parameters", PROCESS, INPUT_TEXT=A, INPUT_TYPE="TEXT", OUTPUT_TYPE="AUDIO",
        AUDIO="WAVE_FILE", LOCALE="en_US"),
    # Details.
    ask("the details' head", "HEAD", "/details"),
    # Speech that is not asked for: tts-server speaks it and throws it away.
    ask("the head of speech", "HEAD", SPEAK, params={"text": A}),
    ask("the head of MaryTTS speech", "HEAD", PROCESS, params={"INPUT_TEXT": A}),
    # What there is not.
    ask("a wrong method", "DELETE", SPEAK),
    ask("another wrong method", "PUT", PROCESS),
    ask("a list is not posted to", "POST", "/voices"),
    ask("no GET of OpenAI's route", "GET", OPENAI),
    get("no such path", "/api/nothing"),
    # OpenAI's route.
    ask("OpenAI's route with WAV", "POST", OPENAI, json={"input": A, "response_format": "wav", "stream": False}),
    ask("OpenAI's route with a voice", "POST", OPENAI, "several",
        json={"model": "tts-1", "input": A, "voice": "ben", "response_format": "wav"}),
    ask("OpenAI's route with a voice of OpenAI's", "POST", OPENAI,
        json={"model": "tts-1", "input": A, "voice": "alloy", "response_format": "wav", "stream": False}),
    ask("OpenAI's route with a parameter that it does not have", "POST", OPENAI,
        json={"input": A, "response_format": "wav", "pitch": 2, "stream": False}),
    ask("OpenAI's route with an unknown format", "POST", OPENAI, json={"input": A, "response_format": "midi"}),
)  # fmt: skip
