"""What a response does when it is made, and what when it is sent."""

from typing import Any

import pytest

from tests.support.worker.artificial import ArtificialEngine
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
        self.scope: dict[str, Any] = {"type": "http", "state": {}}

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
