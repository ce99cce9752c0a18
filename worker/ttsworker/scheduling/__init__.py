"""Shares the engine among requests, sentence by sentence."""

from ttsworker.scheduling.dispatcher import Scheduler
from ttsworker.scheduling.stream import Cancelled, Interrupted, Sentence, Stream

__all__ = ["Cancelled", "Interrupted", "Scheduler", "Sentence", "Stream"]
