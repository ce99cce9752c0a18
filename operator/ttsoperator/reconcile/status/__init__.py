"""The status of a TTSService: a pure function of its spec, of the observed cluster and of the previous status."""

from ttsoperator.reconcile.status.compute import Status, compute_status, wants_facts
from ttsoperator.reconcile.status.conditions import Event, transitions

__all__ = ["Event", "Status", "compute_status", "transitions", "wants_facts"]
