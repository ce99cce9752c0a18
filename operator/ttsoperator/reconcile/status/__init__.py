"""What a TTSService says of itself: a pure function of its spec, of what was observed and of what it said before."""

from ttsoperator.reconcile.status.compute import Status, compute_status, wants_facts
from ttsoperator.reconcile.status.conditions import Event, transitions

__all__ = ["Event", "Status", "compute_status", "transitions", "wants_facts"]
