"""From a validated request to the bytes of its audio."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ttsworker.audio import Pcm
from ttsworker.encoding import Encoding, EncodingFailed, encoder_for, slices
from ttsworker.engines import Unspeakable, Utterance
from ttsworker.http.errors import ApiError
from ttsworker.models.loaded import LoadedModel
from ttsworker.observe.tracing import describe, record
from ttsworker.scheduling import Cancelled, Interrupted, Sentence, Stream
from ttsworker.scheduling.admission import Ticket
from ttsworker.speech.parts import Parts
from ttsworker.speech.request import SpeechRequest, utterances_of
from ttsworker.speech.validation import check_text

OUTCOME = "outcome"
"""Key in the ASGI scope's state: how an answer ended that did not end well, `499` or `aborted`."""

SLICE_BYTES = 65_536
"""Sent at once of a whole file: the next slice waits until the client has taken most of this one."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SpeechJob:
    """What a client wants to hear: `whole` is the audio in one answer with its length, `param` names the text."""

    request: SpeechRequest
    encoding: Encoding
    whole: bool
    param: str = "input"


@dataclass(frozen=True)
class PreparedSpeech:
    """One model's turn at a request: its sentences, with the audio of those that are cached."""

    speaker: LoadedModel
    sentences: Sequence[Sentence]

    @property
    def cached(self) -> int:
        """How many sentences need not be spoken."""
        return sum(sentence.audio is not None for sentence in self.sentences)


async def speak(parts: Parts, job: SpeechJob) -> Response:
    """Accept a request and return the response that speaks it; raises ApiError for what is not accepted."""
    parts.admission.check_open()
    take = await prepare(parts, job)
    ticket = parts.admission.enter(take.speaker.load(), take.speaker.audio_seconds(take.sentences))
    describe(
        voice=take.sentences[0].utterance.voice,
        audio_format=job.encoding.format,
        characters=len(job.request.input),
        cache_hits=take.cached,
    )
    log.info("accepted", extra={"text": " ".join(each.utterance.text for each in take.sentences)})
    try:
        return Speech(parts, job, take, ticket)
    except BaseException:  # a format that cannot be had, say: nothing is left of the request
        ticket.give_back()
        raise


async def prepare(parts: Parts, job: SpeechJob) -> PreparedSpeech:
    """Split the text for the model at work and look its sentences up; raises ApiError 400."""
    while True:
        speaker = parts.failover.active
        wanted = utterances(parts, job.request, param=job.param)
        known = await parts.cache.get_many([speaker.key(utterance) for utterance in wanted])
        if speaker is parts.failover.active:  # else another model took over meanwhile
            return PreparedSpeech(speaker, [Sentence(*pair) for pair in zip(wanted, known, strict=True)])


def utterances(parts: Parts, request: SpeechRequest, *, param: str = "input") -> Sequence[Utterance]:
    """Return the sentences of a request for the active model; raises ApiError 400 for what cannot be spoken.

    A fallback does not know the first choice's voices: it speaks with its own.
    """
    text = check_text(request.input, parts.settings.max_text_length, param=param)
    engine = parts.failover.active.engine
    unknown = parts.failover.on_fallback and request.voice not in {voice.name for voice in engine.voices}
    return utterances_of(
        text,
        engine.voices,
        engine.languages,
        max_characters=engine.max_characters,
        voice=None if unknown else request.voice,
        language=None if unknown else request.language,
        speed=request.speed,
        param=param,
    )


class Speech(Response):
    """Audio as an HTTP response, sent while it is being made; made in full before it is sent when it shall be whole.

    What goes wrong before the first byte is a proper error, or another model's turn. Afterwards the response ends
    without its end: the client sees an incomplete answer and not a silent gap. A client that goes away cancels what has
    not been spoken.
    """

    def __init__(self, parts: Parts, job: SpeechJob, take: PreparedSpeech, ticket: Ticket) -> None:
        self._worker_parts = parts
        self._wish = job
        self._ticket = ticket
        self._timeout = parts.settings.request_timeout_seconds
        self._submitted = time.monotonic()
        self._started = False
        self._gone = False
        super().__init__()
        del self.headers["content-length"]  # of the empty body that Response starts with
        self._take(take)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        watcher = asyncio.create_task(self._close_on_disconnect(receive))
        try:
            await (self._send_whole(send) if self._whole else self._send_stream(send))
        except Cancelled:
            scope["state"][OUTCOME] = "499"
        except Exception as error:  # whatever the engine raised: answered, or told by breaking the answer off
            if not self._started:
                raise as_api_error(error, self._timeout, self._wish.param) from error
            scope["state"][OUTCOME] = "aborted"
            log.error("broken off in mid-stream", exc_info=None if isinstance(error, Interrupted) else error)
        finally:
            watcher.cancel()
            self._stream.close()
            try:
                await self._encoder.close()
            finally:
                self._ticket.give_back()

    def _take(self, take: PreparedSpeech) -> None:
        self._speaker = take.speaker
        self._encoder = encoder_for(self._wish.encoding, take.speaker.engine.sample_rate)
        self._stream: Stream = take.speaker.scheduler.submit(take.sentences)
        at_once = len(take.sentences) == 1 and not take.speaker.engine.streams  # complete as soon as it has begun
        self._whole = self._wish.whole or at_once
        self.headers["content-type"] = self._encoder.media_type
        self.headers["x-tts-model"] = take.speaker.name
        self.headers["x-tts-cached-sentences"] = f"{take.cached}/{len(take.sentences)}"

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
        async for piece in self._pieces():
            for part in slices(piece, self._speaker.engine.sample_rate):
                if encoded := await self._encoder.encode(part):
                    yield encoded
        if not self._stream.samples:
            raise ApiError(400, "nothing_to_speak", "the text has nothing in it that this model speaks")
        yield await self._encoder.finish()
        self._speaker.report_outcome(ok=True)
        seconds = self._stream.samples / self._speaker.engine.sample_rate
        self._worker_parts.metrics.audio_duration.observe(seconds)
        describe(audio_seconds=seconds)
        if started := self._stream.started:
            record("queue", self._stream.submitted, started)
            record("synthesis", started, time.monotonic())

    async def _pieces(self) -> AsyncGenerator[Pcm, None]:
        """Yield the audio. When the model fails before the first piece, the next model's where one is being loaded."""
        while True:
            try:
                async for piece in self._stream:
                    yield piece
            except (ApiError, Cancelled, Interrupted, Unspeakable):  # no fault of the model's
                raise
            except Exception:
                self._speaker.report_outcome(ok=False)
                if self._stream.samples or not await self._worker_parts.failover.wait_until_replaced(self._speaker):
                    raise
                await self._take_again()
            else:
                return

    async def _take_again(self) -> None:
        self._stream.close()
        await self._encoder.close()
        self._take(await prepare(self._worker_parts, self._wish))
        if self._gone:
            self._stream.close()

    async def _begin(self, send: Send) -> None:
        self._started = True
        self._worker_parts.metrics.first_audio.observe(time.monotonic() - self._submitted)
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
        self._gone = True
        self._stream.close()


def as_api_error(error: Exception, timeout: float, param: str) -> ApiError:
    """Say what went wrong in the API's words; an engine's own error is logged here, once, and not shown."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, Unspeakable):
        return ApiError(400, "unspeakable_text", str(error), param=param)
    if isinstance(error, Interrupted):
        message = "this worker is shutting down: try again, another one will answer"
        return ApiError(503, "draining", message, headers={"Retry-After": "1"})
    if isinstance(error, TimeoutError):
        return ApiError(504, "timeout", f"no audio within {timeout:g} s: send a shorter text, or try again later")
    if isinstance(error, EncodingFailed):
        log.error("encoding failed", exc_info=error)
        return ApiError(500, "encoding_failed", "the audio could not be encoded: try another response_format")
    log.error("synthesis failed", exc_info=error)
    return ApiError(500, "synthesis_failed", "the engine failed at this text; the worker's log has the reason")
