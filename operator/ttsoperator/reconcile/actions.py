"""What a plan is made of: the writes that the executor knows how to do."""

from dataclasses import dataclass

from ttsoperator.kube.manifest import Manifest, Ref, ref


@dataclass(frozen=True)
class Create:
    """Create the object.

    If the name is taken `snapshot.ownership` decides: OURS is applied instead, of FORMER and FOREIGN nothing is written
    and an `observed.Conflict` is reported.
    """

    manifest: Manifest


@dataclass(frozen=True)
class Apply:
    """Server-side apply (forced, manager `tts-operator`) over the object that is there, whose uid the manifest has."""

    manifest: Manifest


@dataclass(frozen=True)
class Delete:
    """Delete the object (background propagation, uid as precondition); that it is gone already is success."""

    ref: Ref
    reason: str


@dataclass(frozen=True)
class Adopt:
    """Give the object the labels and the owners of the manifest, and change nothing else of it."""

    ref: Ref
    manifest: Manifest


@dataclass(frozen=True)
class HandOverReplicas:
    """Server-side apply of `spec.replicas` alone (forced, manager `tts-operator-handover`).

    So the count has another owner when it leaves our apply, or starts at the autoscaler's minimum.
    """

    deployment: Ref
    replicas: int


Action = Create | Apply | Adopt | Delete | HandOverReplicas


def replace(there: Manifest, wanted: Manifest, reason: str) -> list[Action]:
    """Return what replaces an object that cannot be changed."""
    return [Delete(ref(there), reason), Create(wanted)]


def target_of(action: Action) -> Ref:
    """Return the object that an action writes."""
    match action:
        case Create(manifest) | Apply(manifest):
            return ref(manifest)
        case HandOverReplicas(target, _) | Delete(target, _) | Adopt(target, _):
            return target


def describe(action: Action) -> str:
    """Say in a log line what an action does."""
    target = target_of(action)
    what = f"{target.kind} {target.name}"
    match action:
        case Create():
            return f"create {what}"
        case Apply():
            return f"apply {what}"
        case Adopt():
            return f"adopt {what}"
        case Delete(_, reason):
            return f"delete {what}: {reason}"
        case HandOverReplicas(_, replicas):
            return f"hand over {replicas} replicas of {what}"
