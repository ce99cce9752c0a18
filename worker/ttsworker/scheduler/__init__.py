"""Shares the engine among requests, sentence by sentence."""

from ttsworker.scheduler.scheduler import Scheduler
from ttsworker.scheduler.stream import Cancelled, Interrupted, Sentence, Stream

__all__ = ["Cancelled", "Interrupted", "Scheduler", "Sentence", "Stream"]
