"""What a response does when it is made, and what when it is sent."""

import asyncio
from typing import Any

import pytest

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.manual_clock import ManualClock
from tests.support.worker.serving import serving
from ttsworker.encoding import Encoding, UnsupportedEncoding
from ttsworker.http.speech_response import speak
from ttsworker.scheduling.admission import NotAdmitted
from ttsworker.speech.request import SpeechJob, SpeechRequest

WAV = Encoding("wav")


def job(encoding: Encoding = WAV, text: str = "One. Two.") -> SpeechJob:
    return SpeechJob(SpeechRequest(input=text), encoding, whole=False)


class Client:
    """Takes an ASGI response, and stays until the end."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.scope: dict[str, Any] = {"type": "http", "method": "POST", "headers": [], "state": {}}

    async def receive(self) -> dict[str, Any]:
        raise AssertionError("nothing of a response waits for this")

    async def send(self, message: Any) -> None:
        self.sent.append(message)


async def test_a_response_that_is_never_sent_has_submitted_nothing_and_holds_no_place() -> None:
    engine = ArtificialEngine()
    async with serving(engine) as served:
        await speak(served.worker.parts, job())
        assert served.worker.admission.accepted == 0
        await served.worker.failover.active.scheduler.idle()
        assert engine.begun == []


async def test_a_response_is_accepted_when_it_is_sent_and_gives_its_place_back() -> None:
    engine, client = ArtificialEngine(), Client()
    async with serving(engine) as served:
        response = await speak(served.worker.parts, job())
        await response(client.scope, client.receive, client.send)
        assert engine.begun == ["One.", "Two."]
        assert client.sent[0]["status"] == 200
        assert client.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
        assert served.worker.admission.accepted == 0


async def test_a_response_that_cannot_be_encoded_raises_before_its_first_byte_and_submits_nothing() -> None:
    engine, client = ArtificialEngine(), Client()
    async with serving(engine) as served:
        response = await speak(served.worker.parts, job(Encoding("mp3", 8001)))
        with pytest.raises(UnsupportedEncoding):
            await response(client.scope, client.receive, client.send)
        assert (client.sent, engine.begun, served.worker.admission.accepted) == ([], [], 0)


async def test_a_response_that_is_sent_once_the_worker_drains_is_refused() -> None:
    engine, client = ArtificialEngine(), Client()
    async with serving(engine) as served:
        response = await speak(served.worker.parts, job())
        served.worker.admission.state = "draining"
        with pytest.raises(NotAdmitted):
            await response(client.scope, client.receive, client.send)
        assert (client.sent, engine.begun) == ([], [])


class Reader(Client):
    """Takes `pace` seconds of the clock for each second of audio, WAV at 24 kHz; 0 is a client that stops reading."""

    def __init__(self, clock: ManualClock, pace: float) -> None:
        super().__init__()
        self._clock = clock
        self._pace = pace
        self.seconds = 0.0

    async def receive(self) -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: Any) -> None:
        await super().send(message)
        taken = self._pace * len(message.get("body", b"")) / 48_000
        for _ in range(10):  # a little at a time, as a socket does
            self.seconds += taken / 10
            self._clock.advance(taken / 10)
            for _ in range(5):
                await asyncio.sleep(0)

    @property
    def complete(self) -> bool:
        return self.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def read(pace: float, *, whole: bool) -> tuple[Reader, float]:
    """Read an answer of about 100 s at this pace; returns the reader, and the seconds of audio."""
    clock = ManualClock()
    reader = Reader(clock, pace)
    asked = SpeechJob(SpeechRequest(input="A sentence of five seconds to be read slowly. " * 20), WAV, whole=whole)
    engine = ArtificialEngine(seconds_per_character=0.11)
    async with serving(engine, clock=clock, request_timeout_seconds=10, health_interval_seconds=3600) as served:
        response = await speak(served.worker.parts, asked)
        await response(reader.scope, reader.receive, reader.send)
        assert (served.worker.admission.accepted, served.worker.parts.memory.held) == (0, 0)
    return reader, 20 * 0.11 * 45


@pytest.mark.parametrize("whole", [{"whole": True}, {"whole": False}], ids=["whole", "streamed"])
@pytest.mark.parametrize("pace", [0.0, 0.5, 1.0, 1.9])
async def test_a_reader_as_fast_as_a_player_gets_everything(pace: float, whole: dict[str, bool]) -> None:
    reader, _ = await read(pace, **whole)
    assert reader.complete
    assert "outcome" not in reader.scope["state"]


@pytest.mark.parametrize("whole", [{"whole": True}, {"whole": False}], ids=["whole", "streamed"])
@pytest.mark.parametrize("pace", [2.5, 3.0, 5.0, 10.0])
async def test_a_reader_much_slower_than_a_player_is_ended_and_its_place_is_free(
    pace: float, whole: dict[str, bool], caplog: pytest.LogCaptureFixture
) -> None:
    reader, audio_seconds = await read(pace, **whole)
    assert not reader.complete
    assert reader.scope["state"]["outcome"] == "slow_client"
    assert reader.seconds <= 10 + 2 * audio_seconds + pace
    assert "the client reads too slowly: its answer ends before it is complete" in caplog.messages
