"""What answering a request takes."""

import asyncio
from dataclasses import dataclass, field

from ttsworker.cache import AudioCache
from ttsworker.clock import Clock
from ttsworker.models.failover import Failover
from ttsworker.observe.metrics import Metrics
from ttsworker.scheduling.admission import Admission
from ttsworker.scheduling.answer_memory import AnswerMemory
from ttsworker.settings import Settings


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
    """Held while a long text is prepared."""

    def not_ready(self) -> str | None:
        """Say why no new request should be sent here; None when one may."""
        return self.failover.problem() if self.admission.state == "open" else self.admission.state
