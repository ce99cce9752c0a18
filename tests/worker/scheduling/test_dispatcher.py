"""What the scheduler does with equal sentences, failures and cached audio, around a real server."""

import asyncio

import httpx
import numpy as np
import pytest

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.asking import SPEECH, ask, body_of, heard, spoken
from tests.support.worker.serving import Served, serving, until


async def test_a_short_request_is_in_the_next_batch_however_long_the_others_are() -> None:
    engine = ArtificialEngine(max_batch_size=2)
    async with serving(engine) as served:
        engine.gate.clear()
        long = ask(served, " ".join(f"Sentence number {number}." for number in range(100)))
        await until(lambda: len(engine.begun) == 1)
        short = ask(served, "A short one.")
        await until(lambda: served.worker.admission.accepted == 2)
        engine.gate.set()
        await asyncio.gather(long, short)
        assert "A short one." in engine.begun[1:3]


async def test_a_short_request_is_next_even_when_every_place_is_taken_by_a_long_one() -> None:
    engine = ArtificialEngine()
    async with serving(engine, max_concurrency=2) as served:
        engine.gate.clear()
        longs = [ask(served, " ".join(f"Sentence {number} of {name}." for number in range(50))) for name in "ab"]
        await until(lambda: served.worker.admission.accepted == 2)
        shorts = []
        for number in range(3):
            shorts.append(ask(served, f"Short {number}."))
            await until(lambda: served.model.scheduler.waiting == number + 1)  # noqa: B023
        await until(lambda: len(engine.begun) == 1)
        engine.gate.set()
        for number, answer in enumerate(await asyncio.gather(*shorts)):
            assert np.array_equal(heard(answer), spoken(f"Short {number}."))
        assert not any(long.done() for long in longs)
        await asyncio.gather(*longs)
        # The other long text's first sentence was there before them, and between two of them a long text has a turn.
        assert [engine.begun.index(f"Short {number}.") for number in range(3)] == [2, 4, 6]


async def test_who_waits_for_a_place_goes_on_after_the_first_sentence_when_there_is_one() -> None:
    engine = ArtificialEngine()
    async with serving(engine, max_concurrency=1) as served:
        engine.gate.clear()
        texts = ["The same.", "The same. Then more.", "The same. Then others. Then the end."]
        answers = []
        for number, text in enumerate(texts):
            answers.append(ask(served, text))
            await until(lambda: served.worker.admission.accepted == number + 1)  # noqa: B023
        assert served.model.scheduler.waiting == 2
        engine.gate.set()
        for text, answer in zip(texts, await asyncio.gather(*answers), strict=True):
            assert np.array_equal(heard(answer), spoken(*(f"{part}." for part in text[:-1].split(". "))))
        assert engine.begun == ["The same.", "Then more.", "Then others.", "Then the end."]
        await until(lambda: served.worker.admission.accepted == 0)
        assert served.model.scheduler.waiting == 0


async def test_equal_sentences_are_spoken_once_for_all_who_wait() -> None:
    engine = ArtificialEngine()
    async with serving(engine) as served:
        engine.gate.clear()
        answers = [ask(served, f"The same for all. And number {number}.") for number in range(4)]
        await until(lambda: served.worker.admission.accepted == 4)
        engine.gate.set()
        for number, answer in enumerate(await asyncio.gather(*answers)):
            assert np.array_equal(heard(answer), spoken("The same for all.", f"And number {number}."))
        assert engine.begun.count("The same for all.") == 1
        assert len(engine.begun) == 5


async def test_who_leaves_does_not_take_the_others_audio_along() -> None:
    engine = ArtificialEngine()
    async with serving(engine) as served:
        engine.gate.clear()
        first = ask(served, "The same for both.")
        await until(lambda: engine.begun == ["The same for both."])
        second = ask(served, "The same for both.")
        await until(lambda: served.worker.admission.accepted == 2)
        first.cancel()
        await until(lambda: served.worker.admission.accepted == 1)
        engine.gate.set()
        assert np.array_equal(heard(await second), spoken("The same for both."))
        assert len(engine.begun) == 1


async def test_a_second_asker_after_all_left_gets_all_of_it() -> None:
    engine = ArtificialEngine()
    async with serving(engine) as served:
        engine.gate.clear()
        first = ask(served, "Abandoned by the first.")
        await until(lambda: len(engine.begun) == 1)
        first.cancel()
        await until(lambda: served.worker.admission.accepted == 0)
        second = ask(served, "Abandoned by the first.")
        await until(lambda: served.worker.admission.accepted == 1)
        engine.gate.set()
        assert np.array_equal(heard(await second), spoken("Abandoned by the first."))


async def test_one_bad_sentence_does_not_spoil_the_batch() -> None:
    engine = ArtificialEngine(max_batch_size=4)
    async with serving(engine) as served:
        engine.gate.clear()
        blocker = ask(served, "Blocks the engine for a while, and is long.")
        await until(lambda: len(engine.begun) == 1)
        texts = ("Good.", "FAIL.", "Fine.", "UNSPEAKABLE.")
        answers = [ask(served, text) for text in texts]
        await until(lambda: served.worker.admission.accepted == 5)
        engine.batches.clear()
        engine.gate.set()
        await blocker
        good, failed, fine, refused = await asyncio.gather(*answers)
        assert engine.batches == [4]
        assert np.array_equal(heard(good), spoken("Good."))
        assert np.array_equal(heard(fine), spoken("Fine."))
        assert (failed.status_code, failed.json()["error"]["code"]) == (500, "synthesis_failed")
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "unspeakable_text")
        # What failed was tried again by itself, what the engine refuses only once; the batch ended at either of them.
        assert engine.begun.count("FAIL.") in {2, 3}
        assert engine.begun.count("UNSPEAKABLE.") in {1, 2}


async def test_what_passes_is_tried_again() -> None:
    engine = ArtificialEngine()
    async with serving(engine) as served:
        engine.failures = 2
        answer = await ask(served, "First it fails, then it works. A second sentence.")
        assert np.array_equal(heard(answer), spoken("First it fails, then it works.", "A second sentence."))
        engine.failures = 3
        assert (await ask(served, "It fails too often.")).status_code == 500


async def test_who_gets_a_place_when_a_sentence_fails_is_not_failed_along_with_it() -> None:
    engine = ArtificialEngine()
    async with serving(engine, max_concurrency=1, health_interval_seconds=600) as served:
        engine.gate.clear()
        first = ask(served, "FAIL.")
        await until(lambda: engine.begun == ["FAIL."])
        second = ask(served, "It is well begun. FAIL.", stream=False)  # spoken while the first one's is tried again
        await until(lambda: served.model.scheduler.waiting == 1)
        engine.gate.set()
        assert (await first).status_code == (await second).status_code == 500
        assert engine.begun.count("FAIL.") == 2 * 3


@pytest.mark.parametrize(("waiting", "status"), [(1, 200), (2, 429)])
async def test_audio_that_waits_is_bounded(waiting: int, status: int) -> None:
    engine = ArtificialEngine()
    async with serving(engine, max_concurrency=1, max_queue_length=100, max_queue_audio_seconds=20) as served:
        engine.gate.clear()
        answers = [ask(served, f"{number} " + "x" * 148) for number in range(1 + waiting)]
        await until(lambda: served.worker.admission.accepted == 1 + waiting)
        more = ask(served, "y" * 150)
        await until(lambda: more.done() or served.worker.admission.accepted == 2 + waiting)
        if status == 429:
            refused = await more
            assert (refused.status_code, refused.json()["error"]["code"]) == (429, "queue_full")
            assert "s of audio wait" in refused.json()["error"]["message"]
            assert 1 <= int(refused.headers["retry-after"]) <= 60
        engine.gate.set()
        assert {answer.status_code for answer in await asyncio.gather(*answers)} == {200}
        assert (await more).status_code == status


async def test_cached_sentences_are_not_spoken_and_the_answer_says_so() -> None:
    engine = ArtificialEngine()
    async with serving(engine, cache_ttl_seconds=60) as served:
        first = await ask(served, "One. Two.")
        assert first.headers["x-tts-cached-sentences"] == "0/2"
        second = await ask(served, "Two. Three. One.")
        assert second.headers["x-tts-cached-sentences"] == "2/3"
        assert np.array_equal(heard(second), spoken("Two.", "Three.", "One."))
        assert sorted(engine.begun) == ["One.", "Three.", "Two."]
        assert await served.worker.cache.get_many([served.model.key(engine.probe)]) == [None]


async def test_what_is_cached_is_answered_while_the_queue_is_full() -> None:
    engine = ArtificialEngine()
    async with serving(engine, cache_ttl_seconds=60, max_concurrency=1, max_queue_length=0) as served:
        assert (await ask(served, "Known.")).status_code == 200
        engine.gate.clear()
        blocker = ask(served, "Blocks.")
        await until(lambda: served.worker.admission.accepted == 1)
        assert (await ask(served, "Unknown.")).status_code == 429
        assert np.array_equal(heard(await ask(served, "Known.")), spoken("Known."))
        engine.gate.set()
        assert (await blocker).status_code == 200


def ask_as(served: Served, address: str, text: str) -> asyncio.Task[httpx.Response]:
    headers = {"X-Forwarded-For": address}
    return asyncio.create_task(served.client.post(SPEECH, json=body_of(text), headers=headers))


async def test_a_client_with_one_text_is_not_behind_the_many_of_another() -> None:
    engine = ArtificialEngine()
    async with serving(
        engine,
        max_concurrency=2,
        max_requests_per_client=50,
        trusted_proxies=["127.0.0.1"],
        health_interval_seconds=600,
    ) as served:
        engine.gate.clear()

        many = []
        for number in range(30):
            text = " ".join(f"Sentence {part} of {number}." for part in range(4))
            many.append(ask_as(served, "203.0.113.1", text))
            await until(lambda: served.worker.admission.accepted == number + 1)  # noqa: B023
        one = ask_as(served, "203.0.113.2", "First of one. Second of one. Third of one.")
        await until(lambda: served.worker.admission.accepted == 31)
        engine.gate.set()
        assert np.array_equal(heard(await one), spoken("First of one.", "Second of one.", "Third of one."))
        assert {answer.status_code for answer in await asyncio.gather(*many)} == {200}
        mine = [place for place, text in enumerate(engine.begun) if text.endswith("of one.")]
        assert mine[0] <= 4, "one is in the engine, one lies ready, one first and one later sentence follow"
        assert mine[-1] <= 16, "of 123 sentences"


async def test_the_audio_that_one_client_queued_does_not_keep_another_out() -> None:
    engine = ArtificialEngine()
    async with serving(
        engine,
        max_concurrency=1,
        max_queue_audio_seconds=20,
        max_requests_per_client=50,
        trusted_proxies=["127.0.0.1"],
    ) as served:
        engine.gate.clear()
        asked = [ask_as(served, "203.0.113.1", f"{number} " + "x" * 148) for number in range(3)]
        await until(lambda: served.worker.admission.accepted == 3)
        assert (await ask_as(served, "203.0.113.1", "y" * 150)).json()["error"]["code"] == "queue_full"
        asked.append(ask_as(served, "203.0.113.2", "y" * 150))
        await until(lambda: served.worker.admission.accepted == 4)
        assert (await ask_as(served, "203.0.113.2", "z" * 150)).json()["error"]["code"] == "queue_full"
        engine.gate.set()
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}
