"""Where a text is prepared."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.serving import serving, until
from ttsworker.encoding import Encoding
from ttsworker.engines import Voice
from ttsworker.speech.errors import InvalidRequest
from ttsworker.speech.parts import LONG_TEXT
from ttsworker.speech.preparing import MARKDOWN_COST, prepare
from ttsworker.speech.request import SpeechJob, SpeechRequest


class WatchedEngine(ArtificialEngine):
    """Knows which threads prepare texts for it, and lets them go on when `permits` has one for them."""

    def __init__(self) -> None:
        super().__init__()
        self.watching = False
        self.preparing: list[threading.Thread] = []
        self.permits = threading.Semaphore(0)

    @property
    def voices(self) -> Sequence[Voice]:  # type: ignore[override] # read once for each text that is prepared
        if self.watching:
            self.preparing.append(threading.current_thread())
            if threading.current_thread() is not threading.main_thread():
                self.permits.acquire()
        return ArtificialEngine.voices


def job(characters: int) -> SpeechJob:
    return SpeechJob(SpeechRequest(input=("word " * characters)[:characters]), Encoding("wav"), whole=True)


async def test_a_long_text_is_prepared_in_a_thread_and_a_short_one_where_it_is() -> None:
    engine: Any = WatchedEngine()
    async with serving(engine) as served:
        engine.watching = True
        engine.permits.release()
        prepared = [await prepare(served.worker.parts, job(length)) for length in (LONG_TEXT, LONG_TEXT + 1)]
        short, long = engine.preparing
        assert short is threading.main_thread()
        assert long is not threading.main_thread()
        assert all(" ".join(each.utterance.text for each in one.sentences).startswith("word word") for one in prepared)


async def test_markdown_is_prepared_in_a_thread_unless_it_is_very_short() -> None:
    engine: Any = WatchedEngine()
    async with serving(engine) as served:
        engine.watching = True
        engine.permits.release()
        short_enough = LONG_TEXT // MARKDOWN_COST
        for length in (short_enough, short_enough + 1):
            text = "**bold**" + " word" * length
            await prepare(
                served.worker.parts, SpeechJob(SpeechRequest(input=text[:length]), Encoding("wav"), whole=True)
            )
        short, long = engine.preparing
        assert short is threading.main_thread()
        assert long is not threading.main_thread()


async def test_while_long_texts_are_prepared_one_by_one_everybody_else_is_answered() -> None:
    engine: Any = WatchedEngine()
    async with serving(engine, max_text_length=100_000) as served:
        engine.watching = True
        tasks = [asyncio.create_task(prepare(served.worker.parts, job(100_000))) for _ in range(3)]
        try:
            for number in range(1, 4):
                await until(lambda expected=number: len(engine.preparing) == expected)  # type: ignore[misc]
                for _ in range(3):
                    assert (await served.client.get("/health")).status_code == 200
                assert len(engine.preparing) == number
                assert not any(task.done() for task in tasks[number - 1 :])
                engine.permits.release()
            assert len({len((await task).sentences) for task in tasks}) == 1
        finally:
            engine.permits.release(3)


async def test_an_error_that_the_thread_finds_reaches_the_caller() -> None:
    async with serving(ArtificialEngine(), max_text_length=LONG_TEXT) as served:
        with pytest.raises(
            InvalidRequest, match=f"has {LONG_TEXT + 1} characters, but a request may have at most {LONG_TEXT}"
        ) as error:
            await prepare(served.worker.parts, job(LONG_TEXT + 1))
        assert (error.value.code, error.value.param) == ("text_too_long", "input")


@pytest.mark.parametrize(("reads_signs", "text"), [(False, "It is minus 5 now."), (True, "It is -5 now.")])
async def test_an_engine_that_reads_signs_gets_them_as_they_are(*, reads_signs: bool, text: str) -> None:
    engine = ArtificialEngine()
    engine.reads_signs = reads_signs
    async with serving(engine) as served:
        request = SpeechRequest(input="It is \u22125 now.")
        prepared = await prepare(served.worker.parts, SpeechJob(request, Encoding("wav"), whole=True))
        assert [each.utterance.text for each in prepared.sentences] == [text]
