"""What answering a request takes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from ttsworker.cache import AudioCache
from ttsworker.clock import Clock
from ttsworker.models.failover import Failover
from ttsworker.observe.metrics import Metrics
from ttsworker.scheduling.admission import Admission
from ttsworker.scheduling.answer_memory import AnswerMemory
from ttsworker.settings import Settings

Result = TypeVar("Result")

LONG_TEXT = 2000
"""Characters above which a text is prepared in a thread, so that it does not delay /health and other requests' audio.

On one core 2,000 characters take 1 ms (English) to 2 ms (Chinese), or 10 ms when all of them are signs; 100,000 take 70
to 200 ms, and 400 to 600 ms when every sentence is tiny or all are signs. Three of these at once in the event loop
delayed /health by 0.2 s, 0.7 s and 1.2 s; in the thread they delay it by at most 0.1 s. `Parts.long_texts` admits one
text at a time: three threads that compete for the GIL delayed /health by 0.2 s.
"""


@dataclass(frozen=True)
class Parts:
    """The parts of a worker that requests use; ask `failover` for the model."""

    settings: Settings
    admission: Admission
    failover: Failover
    cache: AudioCache
    metrics: Metrics
    clock: Clock
    memory: AnswerMemory
    long_texts: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a long text is read or prepared."""

    async def compute(self, length: int, call: Callable[[], Result]) -> Result:
        """Return what `call` makes of a text or body of this length; a long one does not delay other requests."""
        if length <= LONG_TEXT:
            return call()
        async with self.long_texts:
            return await asyncio.to_thread(call)

    def not_ready(self) -> str | None:
        """Say why no new request should be sent here; None when one may."""
        return self.failover.problem() if self.admission.state == "open" else self.admission.state
