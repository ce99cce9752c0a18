"""From a prepared request to the bytes of its audio."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from ttsworker.encoding import EncodingFailed, UnsupportedEncoding
from ttsworker.engines import Unspeakable
from ttsworker.observe.tracing import describe
from ttsworker.scheduling.stream import Cancelled, Interrupted
from ttsworker.speech.errors import AudioTimeout, InvalidRequest, SynthesisFailed
from ttsworker.speech.parts import Parts
from ttsworker.speech.preparing import PreparedSpeech
from ttsworker.speech.request import SpeechJob
from ttsworker.speech.synthesising import Synthesis

CHUNK_BYTES = 65_536
"""Size of the chunks of a whole file: the next one waits until the client has read most of this one."""

log = logging.getLogger(__name__)


@asynccontextmanager
async def deliver(parts: Parts, job: SpeechJob, prepared: PreparedSpeech) -> AsyncIterator["Delivery"]:
    """Accept a request and submit it; give its place back at the end. Raises NotAdmitted and UnsupportedEncoding."""
    ticket = parts.admission.enter(prepared.model.load(), prepared.model.audio_seconds(prepared.sentences))
    try:
        describe(
            voice=prepared.voice,
            audio_format=job.encoding.format,
            characters=len(job.request.input),
            cache_hits=prepared.cached,
        )
        log.info("accepted", extra={"text": " ".join(each.utterance.text for each in prepared.sentences)})
        if job.ignored:
            log.info("fields ignored", extra={"fields": job.ignored})
            parts.metrics.with_ignored_fields.inc()
        synthesis = Synthesis(parts, job, prepared)
        try:
            yield Delivery(parts, job, synthesis)
        finally:
            await synthesis.close()
    finally:
        ticket.give_back()


class Delivery:
    """The bytes of one answer, all at once or while they are being made.

    The request timeout is for the whole of it or for each piece, respectively.
    The first chunk makes the other attributes final: until then another model may take the request over.
    """

    def __init__(self, parts: Parts, job: SpeechJob, synthesis: Synthesis) -> None:
        self._synthesis = synthesis
        self._param = job.param
        self._clock = parts.clock
        self._timeout = parts.settings.request_timeout_seconds
        single = len(self.prepared.sentences) == 1 and not self.prepared.model.engine.streams
        self._whole = job.whole or single  # a single piece is complete as soon as it has begun
        self.length: int | None = None
        """Bytes of the whole answer; None where it is sent while it is being made."""

    @property
    def prepared(self) -> PreparedSpeech:
        """The prepared request, for the model that gives the audio."""
        return self._synthesis.prepared

    @property
    def media_type(self) -> str:
        """The type of the bytes."""
        return self._synthesis.encoder.media_type

    @property
    def cancelled(self) -> bool:
        """Whether the client has gone."""
        return self._synthesis.cancelled

    def cancel(self) -> None:
        """Stop, as the client has gone."""
        self._synthesis.cancel()

    async def chunks(self) -> AsyncGenerator[bytes | memoryview, None]:
        """Yield the bytes. Raises Cancelled.

        Before the first chunk, raises only errors that have an answer: InvalidRequest, Interrupted, AudioTimeout,
        EncodingFailed and SynthesisFailed. After it, raises the original error.
        """
        async with aclosing(self._whole_file() if self._whole else self._stream()) as chunks:
            try:
                first = await anext(chunks)
            except Exception as error:
                self._raise_answerable(error)
                raise
            yield first
            async for chunk in chunks:
                yield chunk

    async def _whole_file(self) -> AsyncGenerator[bytes | memoryview, None]:
        async with self._clock.timeout(self._timeout):
            parts = [part async for part in self._synthesis.encoded()]
        header = self._synthesis.encoder.header(sum(map(len, parts)))
        body = memoryview(b"".join([header, *parts]))
        self.length = len(body)
        for start in range(0, len(body), CHUNK_BYTES):
            yield body[start : start + CHUNK_BYTES]

    async def _stream(self) -> AsyncGenerator[bytes | memoryview, None]:
        async with aclosing(self._synthesis.encoded()) as parts:
            async with self._clock.timeout(self._timeout):
                first = await anext(parts)
            yield self._synthesis.encoder.header(None) + first
            while (part := await self._next(parts)) is not None:
                yield part

    async def _next(self, parts: AsyncIterator[bytes]) -> bytes | None:
        async with self._clock.timeout(self._timeout):
            return await anext(parts, None)

    def _raise_answerable(self, error: Exception) -> None:
        """Raise the error that has an answer in its place, if need be; log what went wrong in the engine or encoder."""
        if isinstance(error, Cancelled | Interrupted | InvalidRequest | UnsupportedEncoding):
            return
        if isinstance(error, Unspeakable):
            raise InvalidRequest("unspeakable_text", str(error), param=self._param) from error
        if isinstance(error, TimeoutError):
            message = f"no audio within {self._timeout:g} s: send a shorter text, or try again later"
            raise AudioTimeout(message) from error
        if isinstance(error, EncodingFailed):
            log.error("encoding failed", exc_info=error)
            return
        log.error("synthesis failed", exc_info=error)
        raise SynthesisFailed("the engine failed at this text; the worker's log has the reason") from error
