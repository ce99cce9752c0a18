"""Failover: models that cannot be loaded or keep failing are stood in for, and come back."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.serving import Served, serving, until
from tests.worker.http.test_overload import ask
from ttsworker.engines import Engine, EngineOptions, ModelInvalid, Utterance, Voice
from ttsworker.models.failover import FAILURES
from ttsworker.models.store import build_manifest, write_manifest
from ttsworker.settings import Fallback

RETRIES = (0.02, 300.0)


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
    folders: Mapping[str, Path], first: Engine, second: Engine, retry_seconds: tuple[float, float] = RETRIES
) -> AsyncIterator[Served]:
    engines = {folders["first"]: first, folders["second"]: second}

    def make(options: EngineOptions) -> Engine:
        assert options.model_dir
        return engines[options.model_dir]

    fallback = Fallback(model_dir=folders["second"], model_name="second")
    async with serving(
        make, model_dir=folders["first"], model_name="first", fallbacks=[fallback], retry_seconds=retry_seconds
    ) as served:
        yield served


async def test_a_model_that_cannot_be_loaded_is_stood_in_for_and_comes_back(folders: Mapping[str, Path]) -> None:
    first = Unloadable(3)
    async with two_models(folders, first, Spare()) as served:
        answer = await ask(served, "Who speaks?", voice="two", language="de")
        assert answer.status_code == 200
        assert answer.headers["x-tts-model"] == "second"
        await until(lambda: served.model.name == "first")
        answer = await ask(served, "And now?", voice="two")
        assert answer.headers["x-tts-model"] == "first"
        assert first.times < 0
        value = served.worker.metrics.registry.get_sample_value
        assert value("tts_model_ready", {"model": "first"}) == 1
        assert value("tts_model_ready", {"model": "second"}) == 0
        assert value("tts_voice_info", {"voice": "spare-voice", "language": "en"}) is None


async def test_a_model_that_keeps_failing_is_stood_in_for_within_the_request(folders: Mapping[str, Path]) -> None:
    first, second = Unloadable(0), Spare()
    async with two_models(folders, first, second) as served:
        assert (await ask(served, "Fine.")).headers["x-tts-model"] == "first"
        first.times = 10**6  # it does not come back while this is looked at
        first.failures = 10**6
        for _ in range(FAILURES - 1):
            assert (await ask(served, "It fails.")).status_code == 500
        answer = await ask(served, "It fails, and another speaks.")
        assert (answer.status_code, answer.headers["x-tts-model"]) == (200, "second")
        await until(lambda: first.closed)
        first.failures = first.times = 0
        await until(lambda: served.model.name == "first")
        await until(lambda: second.closed)


async def test_clients_may_name_any_model_of_the_line_up(folders: Mapping[str, Path]) -> None:
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


async def test_the_way_back_is_tried_less_and_less_often(folders: Mapping[str, Path]) -> None:
    first = Unloadable(10**6)
    async with two_models(folders, first, Spare()) as served:
        await until(lambda: first.times <= 10**6 - 4)
        assert served.worker.failover.retry_seconds >= RETRIES[0] * 2**2


async def test_a_model_that_has_worked_for_long_is_tried_again_soon_after_its_next_outage(
    folders: Mapping[str, Path],
) -> None:
    first = Unloadable(3)
    async with two_models(folders, first, Spare(), retry_seconds=(0.02, 0.3)) as served:
        failover = served.worker.failover
        for outage in range(2):
            await until(lambda: served.model.name == "first")
            assert failover.retry_seconds > 0.02, outage
            await until(lambda: failover.retry_seconds == 0.02)
            assert not failover.on_fallback
            if outage == 0:
                first.times, first.failures = 3, FAILURES
                for _ in range(FAILURES):
                    served.model.report_outcome(ok=False)
                await until(lambda: failover.on_fallback)
