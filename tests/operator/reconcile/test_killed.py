"""The operator is killed after every write of a service's life, and the end is the same."""

import copy
import itertools
from collections.abc import Iterator

from tests.support.operator.passes import World, service
from ttsoperator.kube.manifest import Manifest
from ttsoperator.names import KIND


class Killed(BaseException):
    """kill -9."""


async def life(world: World) -> int:
    """A service's life: created, ready, autoscaled, and back. Return how often the operator was killed in it."""
    world.cluster.seed(service())
    deaths = 0
    for autoscaling in (None, {"minReplicas": 2, "maxReplicas": 3, "targets": {"queueDepth": 4}}, None):
        body = copy.deepcopy(world.object(KIND))
        if body["spec"].get("autoscaling") != autoscaling:
            body["spec"]["autoscaling"] = autoscaling
            body["metadata"]["generation"] += 1
            world.cluster.seed(body)
        for ready in (False, True):
            if ready:
                world.workers_become_ready()
            try:
                await world.settle()
            except Killed:
                deaths += 1
                world.restart()
                await world.settle()
    return deaths


def remains(world: World) -> dict[tuple[str, str], Manifest]:
    """The end of a life, without what differs between two lives that went well."""
    kept = {}
    for (kind, _, name), obj in world.cluster.objects.items():
        if kind == "Event":
            continue
        plain = copy.deepcopy(obj)
        plain["metadata"] = {k: plain["metadata"].get(k) for k in ("labels", "annotations", "generation")}
        kept[kind, name] = plain
    return kept


async def test_killed_after_every_write_of_a_life_the_end_is_the_same(world: World) -> None:
    await life(world)
    expected = remains(world)
    events = {event["metadata"]["name"]: event["count"] for event in world.events()}
    for n in itertools.count(1):
        other = World()
        writes = itertools.count(1)

        def kill(verb: str, *_: str, writes: Iterator[int] = writes, last: int = n) -> None:
            if verb != "list" and next(writes) == last:
                raise Killed

        other.cluster.refuse = kill
        if not await life(other):
            break
        assert remains(other) == expected
        assert {event["metadata"]["name"]: event["count"] for event in other.events()} == events
    assert n > 15, "the life has fewer writes than a real one"
