"""A request for speech as an HTTP response."""

import asyncio
import logging
from contextlib import aclosing

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ttsworker.encoding import encoder_for
from ttsworker.http.methods import HEAD_ONLY
from ttsworker.http.ranges import Cut
from ttsworker.scheduling.stream import Cancelled, Interrupted
from ttsworker.speech.delivering import Delivery, deliver
from ttsworker.speech.parts import Parts
from ttsworker.speech.preparing import PreparedSpeech, prepare
from ttsworker.speech.request import SpeechJob

OUTCOME = "outcome"
"""Key in the ASGI scope's state: how a response ended that did not end well, `499` or `aborted`."""

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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response; to HEAD without speaking, so without a length."""
        if scope["state"].get(HEAD_ONLY):
            await self._send_head(send)
            return
        try:
            async with deliver(self._parts, self._job, self._prepared) as delivery:
                watcher = asyncio.create_task(_cancel_on_disconnect(delivery, receive))
                try:
                    await self._send_all(delivery, scope, send)
                finally:
                    watcher.cancel()
        except Cancelled:
            scope["state"][OUTCOME] = "499"
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
        prepared = delivery.prepared
        self.headers["content-type"] = delivery.media_type
        self.headers["x-tts-model"] = prepared.model.name
        self.headers["x-tts-cached-sentences"] = f"{prepared.cached}/{len(prepared.sentences)}"
        if cut:
            self.status_code = cut.status
            self.headers.update(cut.headers)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})

    async def _send_head(self, send: Send) -> None:
        model = self._prepared.model
        encoder = encoder_for(self._job.encoding, model.engine.sample_rate)
        self.headers["content-type"] = encoder.media_type
        self.headers["x-tts-model"] = model.name
        await encoder.close()
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": b""})

    async def _send(self, delivery: Delivery, send: Send, body: bytes | memoryview, *, more: bool = True) -> None:
        """Send some bytes. A client that reads none of them within the request timeout loses the rest."""
        if delivery.cancelled:
            raise Cancelled
        async with self._clock.timeout(self._timeout):
            await send({"type": "http.response.body", "body": body, "more_body": more})


async def _cancel_on_disconnect(delivery: Delivery, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    delivery.cancel()
