"""From a validated request to the bytes of its audio."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ttsworker.audio import to_pcm
from ttsworker.encoding import Encoding, encoder_for, slices
from ttsworker.engines import Unspeakable
from ttsworker.errors import ApiError
from ttsworker.requests import Utterance
from ttsworker.scheduler import Cancelled, Interrupted
from ttsworker.worker import Worker

OUTCOME = "outcome"
"""Key in the ASGI scope's state: how an answer ended that did not end well, `499` or `aborted`."""

SLICE_BYTES = 65_536
"""Sent at once of a whole file: the next slice waits until the client has taken most of this one."""

log = logging.getLogger(__name__)


class Speech(Response):
    """Audio as an HTTP response, sent while it is being made; made in full before it is sent when `whole`.

    What goes wrong before the first byte is a proper error. Afterwards the response ends without its end: the client
    sees an incomplete answer and not a silent gap. A client that goes away cancels what has not been spoken.
    """

    def __init__(self, worker: Worker, utterances: Sequence[Utterance], encoding: Encoding, *, whole: bool) -> None:
        self._worker = worker
        self._timeout = worker.settings.request_timeout_seconds
        self._encoder = encoder_for(encoding, worker.engine.sample_rate)
        super().__init__(media_type=self._encoder.media_type)
        del self.headers["content-length"]  # of the empty body that Response starts with
        # A single sentence is complete as soon as it has begun, or nearly: it gets its true length.
        self._whole = whole or len(utterances) == 1
        self._ticket = worker.admission.enter(worker.scheduler.waiting)
        self._stream = worker.scheduler.submit(utterances)
        self._started = False
        log.info("accepted", extra={"text": " ".join(utterance.text for utterance in utterances)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        watcher = asyncio.create_task(self._close_on_disconnect(receive))
        try:
            await (self._send_whole(send) if self._whole else self._send_stream(send))
        except Cancelled:
            scope["state"][OUTCOME] = "499"
        except Exception as error:  # whatever the engine raised: answered, or told by breaking the answer off
            if not self._started:
                raise as_api_error(error, self._timeout) from error
            scope["state"][OUTCOME] = "aborted"
            log.error("broken off in mid-stream", exc_info=None if isinstance(error, Interrupted) else error)
        finally:
            watcher.cancel()
            self._stream.close()
            self._ticket.give_back()
            await self._encoder.close()

    async def _send_whole(self, send: Send) -> None:
        """Make all the audio in the time of one request, and send it with its length."""
        async with asyncio.timeout(self._timeout):
            parts = [part async for part in self._parts()]
        length = sum(map(len, parts))
        body = memoryview(b"".join([self._encoder.header(length), *parts]))
        self.headers["content-length"] = str(len(body))
        await self._begin(send)
        for start in range(0, len(body), SLICE_BYTES):
            await self._send(send, body[start : start + SLICE_BYTES])
        await self._send(send, b"", more=False)

    async def _send_stream(self, send: Send) -> None:
        """Send each piece when it is ready; the time is allowed for every piece anew."""
        async with aclosing(self._parts()) as parts:
            async with asyncio.timeout(self._timeout):
                first = await anext(parts)
            await self._begin(send)
            await self._send(send, self._encoder.header(None) + first)
            while (part := await self._next(parts)) is not None:
                await self._send(send, part)
        await self._send(send, b"", more=False)

    async def _next(self, parts: AsyncIterator[bytes]) -> bytes | None:
        async with asyncio.timeout(self._timeout):
            return await anext(parts, None)

    async def _parts(self) -> AsyncGenerator[bytes, None]:
        """Yield the encoded pieces; raises ApiError 400 when there is nothing in the text to speak."""
        async for piece in self._stream:
            for part in slices(to_pcm(piece), self._worker.engine.sample_rate):
                if encoded := await self._encoder.encode(part):
                    yield encoded
        if not self._stream.samples:
            raise ApiError(400, "nothing_to_speak", "the text has nothing in it that this model speaks")
        yield await self._encoder.finish()
        self._worker.metrics.audio_duration.observe(self._stream.samples / self._worker.engine.sample_rate)

    async def _begin(self, send: Send) -> None:
        self._started = True
        self._worker.metrics.first_audio.observe(time.monotonic() - self._stream.submitted)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})

    async def _send(self, send: Send, body: bytes | memoryview, *, more: bool = True) -> None:
        """Send some bytes; a client that takes none of them for the time of a request is given up."""
        if self._stream.closed:
            raise Cancelled
        async with asyncio.timeout(self._timeout):
            await send({"type": "http.response.body", "body": body, "more_body": more})

    async def _close_on_disconnect(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._stream.close()


def as_api_error(error: Exception, timeout: float) -> ApiError:
    """Say what went wrong in the API's words; an engine's own error is logged here, once, and not shown."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, Unspeakable):
        return ApiError(400, "unspeakable_text", str(error), param="input")
    if isinstance(error, Interrupted):
        message = "this worker is shutting down: try again, another one will answer"
        return ApiError(503, "draining", message, headers={"Retry-After": "1"})
    if isinstance(error, TimeoutError):
        return ApiError(504, "timeout", f"no audio within {timeout:g} s: send a shorter text, or try again later")
    log.error("synthesis failed", exc_info=error)
    return ApiError(500, "synthesis_failed", "the engine failed at this text; the worker's log has the reason")
