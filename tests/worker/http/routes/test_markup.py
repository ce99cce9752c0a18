"""Requests with Markdown, tags, references of HTML and SSML, through every route that speaks."""

from typing import Any

import httpx
import pytest

from tests.support.judge import SENTENCES
from tests.support.worker.artificial import SECONDS_PER_CHARACTER, ArtificialEngine
from tests.support.worker.asking import SPEECH
from tests.support.worker.serving import Served, serving

MARKDOWN = "### Title\n**One** [link](https://example.org).\n\n```sh\nls\n```\n&amp; more"
BYTES_PER_SECOND = 48_000


def begun(engine: ArtificialEngine) -> list[str]:
    """The sentences that the engine spoke, without its test sentence."""
    return [text for text in engine.begun if text != engine.probe.text]


async def say(served: Served, text: str, **fields: Any) -> httpx.Response:
    body = {"input": text, "response_format": "pcm", "stream": False, **fields}
    return await served.client.post(SPEECH, json=body)


@pytest.mark.parametrize(("path", "name"), [(SPEECH, "input"), ("/api/tts", "text"), ("/process", "INPUT_TEXT")])
async def test_every_route_reads_markdown_and_references(path: str, name: str) -> None:
    engine = ArtificialEngine()
    async with serving(engine) as served:
        if path == SPEECH:
            answer = await served.client.post(path, json={name: MARKDOWN})
        else:
            answer = await served.client.get(path, params={name: MARKDOWN})
        assert answer.status_code == 200
        assert begun(engine) == ["Title", "One link.", "& more"]


@pytest.mark.parametrize(
    ("fields", "sentences"),
    [
        ({}, ["One"]),
        ({"markup": None}, ["One"]),
        ({"markup": "auto"}, ["One"]),
        ({"markup": "markdown"}, ["One"]),
        ({"markup": "plain"}, ["**One**"]),
    ],
)
async def test_a_request_says_what_its_text_is_written_in(fields: dict[str, Any], sentences: list[str]) -> None:
    engine = ArtificialEngine()
    async with serving(engine) as served:
        assert (await say(served, "**One**", **fields)).status_code == 200
        assert begun(engine) == sentences


async def test_the_settings_are_the_defaults() -> None:
    engine = ArtificialEngine()
    async with serving(engine, markup="Plain", tags="Strip", code_blocks="Speak") as served:
        assert (await say(served, "**One**<br>two</think>Three.")).status_code == 200
        assert (await say(served, "```\nmake\n```", markup="markdown")).status_code == 200
        assert begun(engine) == ["Three.", "make"]
        answer = await say(served, "<b>four</b>", tags="reject")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "markup")


async def test_tags_are_removed_where_a_request_asks_for_it() -> None:
    engine = ArtificialEngine()
    async with serving(engine) as served:
        text = "<think>**Hm**, <b>so</b></think>One.<br>Two.<script>alert(1)</script>"
        answer = await say(served, text)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "input")
        assert (await say(served, text, tags="strip")).status_code == 200
        assert begun(engine) == ["One.", "Two."]


@pytest.mark.parametrize("reference", ["&#0;", "&#x7;", "&#27;", "&#x1b;", "&#127;", "&#129;", "&#xd800;"])
@pytest.mark.parametrize("text", ["a{}b", "**a**{}b", "`{}`"])
async def test_a_reference_smuggles_no_control_character(reference: str, text: str) -> None:
    async with serving(ArtificialEngine()) as served:
        answer = await say(served, text.format(reference))
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "control_character")


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("```sh\nls\n```", {}),
        ("![](a.png)", {}),
        ("<speak/>", {"markup": "ssml"}),
        ("<b></b>", {"tags": "strip"}),
        ("<think>Hm.</think>", {"tags": "strip"}),
    ],
)
async def test_a_text_of_which_nothing_is_heard_is_a_pause_as_one_of_marks_is(
    text: str, fields: dict[str, str]
) -> None:
    async with serving(ArtificialEngine()) as served:
        marks, answer = await say(served, "…"), await say(served, text, **fields)
        assert (answer.status_code, answer.content) == (200, marks.content)
        assert answer.headers["x-tts-skipped"] == str(len("".join(text.split())))
        refused = await say(served, text, on_unspeakable="reject", **fields)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "unspeakable_text")


async def test_a_break_lasts_as_long_where_nothing_else_is_heard() -> None:
    engine = ArtificialEngine()
    engine.unknown = "日"
    async with serving(engine) as served:
        answer = await say(served, '<speak><break time="1500ms"/></speak>', markup="ssml", on_unspeakable="reject")
        assert (answer.status_code, len(answer.content)) == (200, 1.5 * BYTES_PER_SECOND)
        assert "x-tts-skipped" not in answer.headers
        whole = await say(served, '<speak>One. <break time="3s"/>Two.</speak>', markup="ssml")
        for nothing in ("…", "🙂", "日", "<p>---</p>", '<prosody rate="slow">🙂</prosody>'):
            text = f'<speak>One. <break time="1s"/>{nothing}<break time="2s"/>Two.</speak>'
            assert len((await say(served, text, markup="ssml")).content) == len(whole.content)


async def test_ssml_has_breaks_rates_and_languages() -> None:
    engine = ArtificialEngine()
    spoken = '<speak>One. <break time="1500ms"/>Two. <prosody rate="200%">Three.</prosody></speak>'
    async with serving(engine) as served:
        plain = await say(served, "One. Two. Three.")
        answer = await say(served, spoken, markup="ssml")
        assert (plain.status_code, answer.status_code) == (200, 200)
        assert begun(engine) == ["One.", "Two.", "Three."] * 2
        third = len("Three.") * SECONDS_PER_CHARACTER
        assert len(answer.content) - len(plain.content) == (1.5 - third / 2) * BYTES_PER_SECOND
        german = await say(served, '<speak xml:lang="de-DE">Eins.</speak>', markup="ssml")
        assert german.status_code == 200


@pytest.mark.parametrize(
    ("document", "code", "message"),
    [
        ("Hello", "markup", "input is not valid SSML"),
        ("<speak><voice name='x'>a</voice></speak>", "markup", "input has the SSML element <voice>"),
        ("<speak><prosody rate='500%'>a</prosody></speak>", "invalid_value", "input has a part with speed 5"),
        ("<speak><lang xml:lang='fr'>a</lang></speak>", "unknown_language", "it speaks en, de"),
        ("<speak>a&#127;b</speak>", "control_character", "U+007F"),
    ],
)
async def test_ssml_that_cannot_be_spoken_is_refused(document: str, code: str, message: str) -> None:
    async with serving(ArtificialEngine()) as served:
        answer = await say(served, document, markup="ssml")
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["param"]) == (400, code, "input")
        assert message in error["message"]


@pytest.mark.parametrize("fields", [{"markup": "html"}, {"tags": "keep"}, {"markup": "Auto"}])
async def test_another_markup_is_refused_by_its_name(fields: dict[str, Any]) -> None:
    async with serving(ArtificialEngine()) as served:
        error = (await say(served, "Hello", **fields)).json()["error"]
        assert (error["code"], error["param"]) == ("invalid_value", next(iter(fields)))


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("### {0}\n> **{1}**", {}),
        ("- *{0}*\n- [{1}](https://example.org/a_b)\n\n---\n\n```sh\nls -l\n```", {}),
        ("<p>{0}</p><br><script>alert(1)</script>{1}", {"tags": "strip"}),
        ("<think>Well, **so**.</think>\n\n# {0}\n{1}", {"tags": "strip"}),
        ("<speak><p>{0}</p><p>{1}</p></speak>", {"markup": "ssml"}),
    ],
)
def test_the_audio_is_that_of_the_words_alone(api: httpx.Client, text: str, fields: dict[str, str]) -> None:
    def audio(text: str, **fields: str) -> bytes:
        answer = api.post(SPEECH, json={"input": text, "response_format": "pcm", **fields})
        assert answer.status_code == 200
        return answer.content

    words = SENTENCES[0], SENTENCES[7]
    assert audio(text.format(*words), **fields) == audio("\n\n".join(words))
