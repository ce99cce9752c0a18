"""From a prepared request to the bytes of its audio."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from ttsworker.audio import SAMPLE_BYTES
from ttsworker.encoding import EncodingFailed, UnsupportedEncoding, bytes_per_second
from ttsworker.engines import Unspeakable
from ttsworker.observe.tracing import describe
from ttsworker.scheduling.admission import NotAdmitted
from ttsworker.scheduling.answer_memory import AnswerTooLarge, Reservation
from ttsworker.scheduling.stream import Cancelled, Interrupted
from ttsworker.speech.errors import AudioTimeout, InvalidRequest, SynthesisFailed
from ttsworker.speech.parts import Parts
from ttsworker.speech.preparing import PreparedSpeech
from ttsworker.speech.request import SpeechJob
from ttsworker.speech.synthesising import Synthesis
from ttsworker.speech.whole_answer import WholeAnswer

ANSWERABLE = (Cancelled, Interrupted, InvalidRequest, UnsupportedEncoding, AnswerTooLarge, NotAdmitted)
"""Errors before the first audio that `http/errors.py` answers as they are."""

log = logging.getLogger(__name__)


@asynccontextmanager
async def deliver(
    parts: Parts, job: SpeechJob, prepared: PreparedSpeech, client: str = ""
) -> AsyncIterator["Delivery"]:
    """Accept a client's request and submit it; give its place and its memory back at the end.

    Raises NotAdmitted, AnswerTooLarge and UnsupportedEncoding.
    """
    audio_seconds = prepared.model.audio_seconds(prepared.sentences)
    with parts.memory.reserve(_bytes_ahead(job, prepared, audio_seconds), client) as reservation:
        ticket = parts.admission.enter(prepared.model.load(client), audio_seconds, client)
        try:
            _note_accepted(parts, job, prepared)
            synthesis = Synthesis(parts, job, prepared, client)
            try:
                yield Delivery(parts, job, synthesis, reservation)
            finally:
                await synthesis.close()
        finally:
            ticket.give_back()


def _note_accepted(parts: Parts, job: SpeechJob, prepared: PreparedSpeech) -> None:
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


def _is_whole(job: SpeechJob, prepared: PreparedSpeech) -> bool:
    """Return whether the answer is sent in one go: a single piece is complete as soon as it has begun."""
    return job.whole or (len(prepared.sentences) == 1 and not prepared.model.engine.streams)


def _bytes_ahead(job: SpeechJob, prepared: PreparedSpeech, audio_seconds: float) -> int:
    """Estimate the memory of the answer: its cached audio, and all its bytes if it is sent in one go."""
    if not _is_whole(job, prepared):
        return prepared.cached_bytes
    rate = prepared.model.engine.sample_rate
    pauses = sum(each.pause or 0.0 for each in prepared.sentences)
    seconds = audio_seconds + pauses + prepared.cached_bytes / (SAMPLE_BYTES * rate)
    return prepared.cached_bytes + round(seconds * bytes_per_second(job.encoding, rate))


class Delivery:
    """The bytes of one answer, all at once or while they are being made.

    The request timeout is for the whole of it or for each piece, respectively.
    The first chunk makes the other attributes final: until then another model may take the request over.
    """

    def __init__(self, parts: Parts, job: SpeechJob, synthesis: Synthesis, reservation: Reservation) -> None:
        self._synthesis = synthesis
        self._param = job.param
        self._clock = parts.clock
        self._timeout = parts.settings.request_timeout_seconds
        self._whole = _is_whole(job, self.prepared)
        self._reservation = reservation
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

    @property
    def audio_seconds(self) -> float:
        """Length of the audio so far, read or not."""
        return self._synthesis.audio_seconds

    def cancel(self) -> None:
        """Stop, as the client has gone."""
        self._synthesis.cancel()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes. Raises Cancelled.

        Before the first chunk, raises only errors that have an answer: InvalidRequest, Interrupted, AudioTimeout,
        EncodingFailed, SynthesisFailed, AnswerTooLarge and NotAdmitted. After it, raises the original error.
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

    async def _whole_file(self) -> AsyncGenerator[bytes, None]:
        answer = WholeAnswer(self._reservation, self.prepared.cached_bytes)
        async with self._clock.timeout(self._timeout):
            async for part in self._synthesis.encoded():
                answer.add(part)
        header = self._synthesis.encoder.header(answer.length)
        self.length = len(header) + answer.length
        if header:
            yield header
        for block in answer.blocks():
            yield block

    async def _stream(self) -> AsyncGenerator[bytes, None]:
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
        if isinstance(error, ANSWERABLE):
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
