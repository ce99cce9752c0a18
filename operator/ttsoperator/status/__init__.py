"""What a TTSService says of itself: a pure function of its spec, of what was observed and of what it said before."""

from .compute import Status, compute_status, wants_facts
from .conditions import Event, transitions

__all__ = ["Event", "Status", "compute_status", "transitions", "wants_facts"]
