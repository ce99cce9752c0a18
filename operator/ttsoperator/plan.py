"""What has to be written so that the cluster becomes what the spec asks for: a pure function of both."""

from dataclasses import dataclass
from datetime import datetime

from .live import Live, Manifest, Ref
from .resources import Defaults
from .spec import TTSService


@dataclass(frozen=True)
class Create:
    """Create the object; if the name is taken, `live.ownership` decides: OURS is applied, FORMER and FOREIGN become
    `status.Conflict`s and nothing is written.
    """

    manifest: Manifest


@dataclass(frozen=True)
class Apply:
    """Server-side apply (forced, manager `tts-operator`) over the object that is there."""

    manifest: Manifest


@dataclass(frozen=True)
class Delete:
    """Delete the object (background propagation, uid as precondition); that it is gone already is success."""

    ref: Ref
    reason: str


@dataclass(frozen=True)
class HandOverReplicas:
    """Server-side apply of `spec.replicas` alone (forced, manager `tts-operator-handover`), before `replicas` leaves our apply."""

    deployment: Ref
    replicas: int


Action = Create | Apply | Delete | HandOverReplicas


@dataclass(frozen=True)
class Plan:
    """Actions to do in order (the first that fails ends the pass), what is wanted, and when to look again.

    `desired` goes into `status.Observed`; `requeue_after` is in seconds, None when a watch event will tell.
    """

    actions: tuple[Action, ...]
    desired: tuple[Manifest, ...]
    requeue_after: float | None = None


def make_plan(service: TTSService, defaults: Defaults, live: Live, now: datetime) -> Plan:
    """Compare what `service` wants with what is `live`; an empty plan means the cluster is as wanted."""
    raise NotImplementedError
