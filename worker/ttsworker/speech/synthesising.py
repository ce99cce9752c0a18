"""The synthesis of one request: its audio, encoded, and its failover to another model."""

import logging
from collections.abc import AsyncGenerator

from ttsworker.audio import Pcm
from ttsworker.encoding import encoder_for, slices
from ttsworker.engines import Unspeakable
from ttsworker.observe.tracing import describe, record
from ttsworker.scheduling.stream import Cancelled, Interrupted
from ttsworker.speech.errors import NothingToSpeak
from ttsworker.speech.parts import Parts
from ttsworker.speech.preparing import PreparedSpeech, prepare
from ttsworker.speech.request import SpeechJob
from ttsworker.text import kinds

log = logging.getLogger(__name__)


class Synthesis:
    """Submits a request when it is made. Close it, whatever happens. Raises UnsupportedEncoding.

    When the model fails before the first audio and another one is being loaded in its place, the request is prepared
    and submitted again for that one: `prepared` and `encoder` change then.
    """

    def __init__(self, parts: Parts, job: SpeechJob, prepared: PreparedSpeech, client: str) -> None:
        self._parts = parts
        self._client = client
        self._job = job
        self.cancelled = False
        self._submit(prepared)

    @property
    def audio_seconds(self) -> float:
        """Length of the audio so far."""
        return self._stream.samples / self.prepared.model.engine.sample_rate

    async def encoded(self) -> AsyncGenerator[bytes, None]:
        """Yield the encoded audio, as soon as each part of it is ready; raises InvalidRequest when there is none."""
        async for piece in self._audio():
            for part in slices(piece, self.prepared.model.engine.sample_rate):
                if encoded := await self.encoder.encode(part):
                    yield encoded
        if not self._stream.samples:
            raise NothingToSpeak(param=self._job.param)
        yield await self.encoder.finish()
        self._report()

    def cancel(self) -> None:
        """Drop the audio that is not there yet: `encoded` raises Cancelled."""
        self.cancelled = True
        self._stream.close()

    async def close(self) -> None:
        """Release the scheduler and the encoder."""
        self._stream.close()
        await self.encoder.close()

    def _submit(self, prepared: PreparedSpeech) -> None:
        self.prepared = prepared
        self.encoder = encoder_for(self._job.encoding, prepared.model.engine.sample_rate)
        if prepared.skipped:
            self._parts.metrics.skipped_characters.inc(len(prepared.skipped))
            skipped = {"characters": len(prepared.skipped), "kinds": ", ".join(kinds(prepared.skipped))}
            log.info("left out what the model cannot speak", extra=skipped)
        self._stream = prepared.model.scheduler.submit(prepared.sentences, client=self._client)

    async def _audio(self) -> AsyncGenerator[Pcm, None]:
        while True:
            try:
                async for piece in self._stream:
                    yield piece
            except (Cancelled, Interrupted, Unspeakable):  # the model did not fail
                raise
            except Exception:
                model = self.prepared.model
                model.report_outcome(ok=False)
                if self._stream.samples or not await self._parts.failover.wait_until_replaced(model):
                    raise
                await self._fail_over()
            else:
                return

    async def _fail_over(self) -> None:
        await self.close()
        self._submit(await prepare(self._parts, self._job))
        if self.cancelled:
            self._stream.close()

    def _report(self) -> None:
        model, stream = self.prepared.model, self._stream
        model.report_outcome(ok=True)
        self._parts.metrics.audio_duration.observe(self.audio_seconds)
        describe(audio_seconds=self.audio_seconds)
        if stream.started:
            record("queue", stream.submitted, stream.started)
            record("synthesis", stream.started, self._parts.clock.monotonic())
