"""A request for speech as an HTTP response."""

import asyncio
import logging
import string
from contextlib import aclosing
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ttsworker.encoding import encoder_for
from ttsworker.http.access.middleware import CLIENT
from ttsworker.http.methods import HEAD_ONLY
from ttsworker.http.ranges import Cut
from ttsworker.scheduling.stream import Cancelled, Interrupted
from ttsworker.speech.delivering import Delivery, deliver
from ttsworker.speech.parts import Parts
from ttsworker.speech.preparing import PreparedSpeech, prepare
from ttsworker.speech.request import SpeechJob

OUTCOME = "outcome"
"""Key in the ASGI scope's state: how a response ended that did not end well, `499`, `slow_client` or `aborted`."""

SLOWEST_READING = 2.0
"""Seconds that a client has for a second of audio, on average and beside the request timeout: a player needs one. Only
the time counts in which the worker waits for the client."""


class SlowClient(Exception):
    """The client reads its answer too slowly, or does not read it at all."""


_UNESCAPED = string.digits + string.ascii_letters + string.punctuation.replace("%", "") + " "

log = logging.getLogger(__name__)


async def speak(parts: Parts, job: SpeechJob) -> Response:
    """Return the response to a request for speech; raises InvalidRequest, or NotAdmitted unless the worker is open."""
    parts.admission.check_open()
    return SpeechResponse(parts, job, await prepare(parts, job))


class SpeechResponse(Response):
    """Sends the audio while it is being made, or all at once. Calling it accepts and submits the request.

    An error before the first byte is raised, for the application's exception handler. Afterwards the response breaks
    off without its end, so that the client sees that it is incomplete. When the client disconnects, the sentences that
    are not synthesized yet are dropped.
    """

    def __init__(self, parts: Parts, job: SpeechJob, prepared: PreparedSpeech) -> None:
        super().__init__()
        del self.headers["content-length"]  # of the empty body that Response starts with
        self._parts = parts
        self._job = job
        self._prepared = prepared
        self._clock = parts.clock
        self._timeout = parts.settings.request_timeout_seconds
        self._started = False
        self._waited = 0.0
        """Seconds that the client let the worker wait."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response; to HEAD without speaking, so without a length."""
        if scope["state"].get(HEAD_ONLY):
            await self._send_head(send)
            return
        client = scope["state"].get(CLIENT, "")
        try:
            async with deliver(self._parts, self._job, self._prepared, client) as delivery:
                watcher = asyncio.create_task(_cancel_on_disconnect(delivery, receive))
                try:
                    await self._send_all(delivery, scope, send)
                finally:
                    watcher.cancel()
        except Cancelled:
            scope["state"][OUTCOME] = "499"
        except SlowClient:
            scope["state"][OUTCOME] = "slow_client"
        except Exception as error:
            if not self._started:
                raise
            scope["state"][OUTCOME] = "aborted"
            log.error(
                "the stream ended before the audio was complete",
                exc_info=None if isinstance(error, Interrupted) else error,
            )

    async def _send_all(self, delivery: Delivery, scope: Scope, send: Send) -> None:
        accepted = self._clock.monotonic()
        cut: Cut | None = None
        async with aclosing(delivery.chunks()) as chunks:
            async for chunk in chunks:
                if not self._started:
                    self._parts.metrics.first_audio.observe(self._clock.monotonic() - accepted)
                    if delivery.length is not None:
                        cut = Cut(delivery.length, scope["method"], Headers(scope=scope))
                    await self._start(delivery, cut, send)
                await self._send(delivery, send, cut.take(chunk) if cut else chunk)
                if cut and cut.complete:
                    break
        await self._send(delivery, send, b"", more=False)

    async def _start(self, delivery: Delivery, cut: Cut | None, send: Send) -> None:
        self._started = True
        self._describe(delivery.prepared, delivery.media_type)
        if cut:
            self.status_code = cut.status
            self.headers.update(cut.headers)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})

    async def _send_head(self, send: Send) -> None:
        encoder = encoder_for(self._job.encoding, self._prepared.model.engine.sample_rate)
        self._describe(self._prepared, encoder.media_type)
        self.headers["accept-ranges"] = "bytes"
        await encoder.close()
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": b""})

    def _describe(self, prepared: PreparedSpeech, media_type: str) -> None:
        """Set the headers that say what the audio is."""
        self.headers["content-type"] = media_type
        self.headers["x-tts-model"] = header_text(prepared.model.name)
        self.headers["x-tts-voice"] = header_text(prepared.voice)
        self.headers["x-tts-cached-sentences"] = f"{prepared.cached}/{len(prepared.sentences)}"
        if self._job.ignored:
            self.headers["x-tts-ignored"] = ", ".join(self._job.ignored)
        if prepared.skipped:
            self.headers["x-tts-skipped"] = str(len(prepared.skipped))

    async def _send(self, delivery: Delivery, send: Send, body: bytes, *, more: bool = True) -> None:
        """Send some bytes; raises SlowClient when the client does not take them in time."""
        if delivery.cancelled:
            raise Cancelled
        left = self._timeout + SLOWEST_READING * delivery.audio_seconds - self._waited
        began = self._clock.monotonic()
        try:
            async with self._clock.timeout(min(self._timeout, left)):
                await send({"type": "http.response.body", "body": body, "more_body": more})
        except TimeoutError as error:
            figures = {"audio_seconds": round(delivery.audio_seconds, 1), "waited_seconds": round(self._waited, 1)}
            log.warning("the client reads too slowly: its answer ends before it is complete", extra=figures)
            raise SlowClient from error
        finally:
            self._waited += self._clock.monotonic() - began


def header_text(name: str) -> str:
    """Return a name in printable ASCII. Any other character, and %, is percent-encoded, as names of voices have some.

    A speaker of Coqui's YourTTS is called "female-en-5" with a line end.
    """
    return quote(name, safe=_UNESCAPED, errors="replace")


async def _cancel_on_disconnect(delivery: Delivery, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    delivery.cancel()
