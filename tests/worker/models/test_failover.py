"""Failover: a fallback becomes active for a model that cannot be loaded or keeps failing, until that one recovers."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.asking import ask
from tests.support.worker.manual_clock import ManualClock
from tests.support.worker.serving import Served, serving, until
from ttsworker.engines import Engine, EngineOptions, ModelInvalid, Utterance, Voice
from ttsworker.models.failover import FAILURES, RETRY_SECONDS
from ttsworker.models.store import build_manifest, write_manifest
from ttsworker.scheduling import dispatcher
from ttsworker.settings import Fallback

FIRST_RETRY, LONGEST_RETRY = RETRY_SECONDS


class Unloadable(ArtificialEngine):
    """Cannot be loaded as often as it is told to."""

    def __init__(self, times: int, **options: Any) -> None:
        super().__init__(**options)
        self.times = times

    def load(self) -> None:
        self.times -= 1
        if self.times >= 0:
            raise ModelInvalid("told not to load")


class Spare(ArtificialEngine):
    model_name = "spare"
    voices: Sequence[Voice] = (Voice("spare-voice", "en"),)
    probe = Utterance("probe of the spare one", "spare-voice")


@pytest.fixture
def folders(tmp_path: Path) -> Mapping[str, Path]:
    found = {}
    for name in ("first", "second"):
        found[name] = tmp_path / name
        found[name].mkdir()
        (found[name] / "model").write_text(name)
        write_manifest(found[name], build_manifest(found[name], source="https://example.org/model"))
    return found


@asynccontextmanager
async def two_models(
    folders: Mapping[str, Path], first: Engine, second: Engine, clock: ManualClock | None = None
) -> AsyncIterator[Served]:
    engines = {folders["first"]: first, folders["second"]: second}

    def make(options: EngineOptions) -> Engine:
        assert options.model_dir
        return engines[options.model_dir]

    fallback = Fallback(model_dir=folders["second"], model_name="second")
    async with serving(
        make,
        clock=clock,
        exit_timeout=60,
        model_dir=folders["first"],
        model_name="first",
        fallbacks=[fallback],
        health_interval_seconds=3600,
    ) as served:
        yield served


async def attempt_recovery(served: Served, clock: ManualClock) -> float:
    """Let the pause before the next recovery pass, and wait until the pause after it is known; returns the pause."""
    failover = served.worker.failover
    pause = failover.retry_seconds
    await until(lambda: clock.due_in(pause))
    clock.advance(pause)
    await until(lambda: failover.retry_seconds == min(2 * pause, LONGEST_RETRY))
    return pause


async def recover(served: Served, clock: ManualClock) -> None:
    while served.model.name != "first":
        await attempt_recovery(served, clock)


async def test_a_model_that_cannot_be_loaded_is_replaced_until_it_recovers(folders: Mapping[str, Path]) -> None:
    first, clock = Unloadable(3), ManualClock()
    async with two_models(folders, first, Spare(), clock) as served:
        for voice in ("two", "alloy", "nobody"):
            answer = await ask(served, "Who speaks?", voice=voice, language="de")
            assert answer.status_code == 200
            assert (answer.headers["x-tts-model"], answer.headers["x-tts-voice"]) == ("second", "spare-voice")
        await recover(served, clock)
        answer = await ask(served, "And now?", voice="two")
        assert answer.headers["x-tts-model"] == "first"
        assert first.times < 0
        value = served.worker.metrics.registry.get_sample_value
        assert value("tts_model_ready", {"model": "first"}) == 1
        assert value("tts_model_ready", {"model": "second"}) == 0
        assert value("tts_voice_info", {"voice": "spare-voice", "language": "en"}) is None


async def ask_while_it_fails(served: Served, clock: ManualClock, text: str) -> httpx.Response:
    """Ask, and let the pauses pass after which the engine tries the sentence again."""
    asked = ask(served, text)
    for pause in dispatcher.RETRY_SECONDS:
        await until(lambda: clock.is_asked_for(pause))  # noqa: B023
        clock.advance(pause)
    return await asked


async def test_a_model_that_keeps_failing_is_replaced_within_the_request(folders: Mapping[str, Path]) -> None:
    first, second, clock = Unloadable(0), Spare(), ManualClock()
    async with two_models(folders, first, second, clock) as served:
        assert (await ask(served, "Fine.")).headers["x-tts-model"] == "first"
        first.failures = 10**6
        for _ in range(FAILURES - 1):
            assert (await ask_while_it_fails(served, clock, "It fails.")).status_code == 500
        answer = await ask_while_it_fails(served, clock, "It fails, and another speaks.")
        assert (answer.status_code, answer.headers["x-tts-model"]) == (200, "second")
        await until(lambda: first.closed)
        first.failures = 0
        await recover(served, clock)
        await until(lambda: second.closed)


async def test_what_is_skipped_is_counted_for_the_model_that_speaks(folders: Mapping[str, Path]) -> None:
    first, second, clock = Unloadable(0), Spare(), ManualClock()
    first.unknown, second.unknown = "日", "日本語"
    async with two_models(folders, first, second, clock) as served:
        assert (await ask(served, "It is 日本語.")).headers["x-tts-skipped"] == "1"
        first.failures = 10**6
        for _ in range(FAILURES - 1):
            assert (await ask_while_it_fails(served, clock, "It fails.")).status_code == 500
        answer = await ask_while_it_fails(served, clock, "It is 日本語, too.")
        assert (answer.headers["x-tts-model"], answer.headers["x-tts-skipped"]) == ("second", "3")


async def test_clients_may_name_any_model_of_the_list(folders: Mapping[str, Path]) -> None:
    async with two_models(folders, ArtificialEngine(), Spare()) as served:
        for name, status in (("first", 200), ("second", 200), ("third", 404)):
            assert (await ask(served, "Hello.", model=name)).status_code == status


async def test_when_none_can_be_loaded_the_first_ones_reason_is_told(folders: Mapping[str, Path]) -> None:
    async with two_models(folders, Unloadable(10), Unloadable(10)) as served:
        assert await served.ended == 1


async def test_a_request_does_not_wait_for_another_model_where_there_is_none() -> None:
    engine = ArtificialEngine()
    async with serving(engine) as served:
        for _ in range(FAILURES + 1):
            assert (await ask(served, "FAIL.")).status_code == 500


async def test_recovery_is_tried_less_and_less_often(folders: Mapping[str, Path]) -> None:
    first, clock = Unloadable(10**6), ManualClock()
    async with two_models(folders, first, Spare(), clock) as served:
        pauses = [await attempt_recovery(served, clock) for _ in range(8)]
        await until(lambda: first.times == 10**6 - 9)
        assert served.worker.failover.retry_seconds >= FIRST_RETRY * 2**2
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300]


async def test_a_model_that_has_worked_for_long_is_tried_again_soon_after_its_next_outage(
    folders: Mapping[str, Path],
) -> None:
    first, clock = Unloadable(3), ManualClock()
    async with two_models(folders, first, Spare(), clock) as served:
        failover = served.worker.failover
        for outage in range(2):
            await recover(served, clock)
            assert failover.retry_seconds > FIRST_RETRY, outage
            await until(lambda: clock.due_in(LONGEST_RETRY))
            clock.advance(LONGEST_RETRY)
            await until(lambda: failover.retry_seconds == FIRST_RETRY)
            assert not failover.on_fallback
            if outage == 0:
                first.times, first.failures = 3, FAILURES
                for _ in range(FAILURES):
                    served.model.report_outcome(ok=False)
                await until(lambda: failover.on_fallback)
