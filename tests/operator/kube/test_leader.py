"""Leader election against a Lease kept in memory, in virtual time: at most one replica leads."""

import asyncio
import copy
import itertools

import pytest

from tests.support.virtual_time import now, run
from ttsoperator.kube.errors import Conflict, NotFound, Unavailable
from ttsoperator.kube.leader import LEASE_SECONDS, RENEW_DEADLINE_SECONDS, RETRY_SECONDS, LeaderElection
from ttsoperator.kube.manifest import Manifest


class Leases:
    """The API server's part: one Lease with optimistic locking, reachable or not for each caller."""

    def __init__(self, lease: Manifest | None = None) -> None:
        self.lease = lease
        self._versions = itertools.count(2)
        self.outage: set[str] = set()
        self.hang: set[str] = set()
        self.answer_seconds = 0.0

    def as_seen_by(self, caller: str) -> "Door":
        return Door(self, caller)

    def put(self, body: Manifest) -> Manifest:
        self.lease = copy.deepcopy(body)
        self.lease["metadata"]["resourceVersion"] = str(next(self._versions))
        return copy.deepcopy(self.lease)


class Door:
    def __init__(self, leases: Leases, caller: str) -> None:
        self._leases = leases
        self._caller = caller

    async def request(self, method: str, url: str, body: object = None) -> Manifest:
        assert url.startswith("/apis/coordination.k8s.io/v1/namespaces/ns/leases")
        await asyncio.sleep(0.01)
        if self._caller in self._leases.hang:
            await asyncio.sleep(10**6)
        if self._caller in self._leases.outage:
            raise Unavailable(503, "no route")
        there = self._leases.lease
        if method == "POST":
            if there is not None:
                raise Conflict(409, "exists")
            assert isinstance(body, dict)
            return await self._write(body)
        if there is None:
            raise NotFound(404, "no lease")
        if method == "GET":
            return copy.deepcopy(there)
        assert method == "PUT"
        assert isinstance(body, dict)
        if body["metadata"]["resourceVersion"] != there["metadata"]["resourceVersion"]:
            raise Conflict(409, "newer")
        return await self._write(body)

    async def _write(self, body: Manifest) -> Manifest:
        written = self._leases.put(body)
        await asyncio.sleep(self._leases.answer_seconds)
        return written


class Replica:
    """A candidate that notes when it led."""

    def __init__(self, leases: Leases, name: str) -> None:
        self.name = name
        self.election = LeaderElection(leases.as_seen_by(name), "ns", "lease", name, clock=now)
        self.terms: list[list[float]] = []
        self.task = asyncio.ensure_future(self.election.run(self._lead))

    async def _lead(self) -> None:
        self.terms.append([now()])
        try:
            await asyncio.Event().wait()
        finally:
            self.terms[-1].append(now())

    def leads(self) -> bool:
        return bool(self.terms) and len(self.terms[-1]) == 1

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])


def empty_lease() -> Manifest:
    """As the chart makes it: without a spec."""
    return {"metadata": {"name": "lease", "namespace": "ns", "resourceVersion": "1"}}


@pytest.mark.parametrize("lease", [None, empty_lease()], ids=["no lease", "the chart's lease"])
def test_one_of_several_leads_and_stays_the_leader(lease: Manifest | None) -> None:
    async def story() -> None:
        leases = Leases(lease)
        replicas = [Replica(leases, name) for name in "abc"]
        await asyncio.sleep(300)
        assert [len(r.terms) for r in replicas].count(1) == 1
        leader = next(r for r in replicas if r.leads())
        assert [r.election.is_leading() for r in replicas] == [r is leader for r in replicas]
        assert leases.lease is not None
        assert leases.lease["spec"]["holderIdentity"] == leader.election.identity
        assert leases.lease["spec"]["leaseDurationSeconds"] == LEASE_SECONDS
        for replica in replicas:
            await replica.stop()

    run(story())


def test_a_stopping_leader_hands_over_at_once() -> None:
    async def story() -> float:
        leases = Leases()
        first = Replica(leases, "a")
        await asyncio.sleep(20)
        second = Replica(leases, "b")
        await asyncio.sleep(20)
        assert not second.leads()
        stopped = now()
        await first.stop()
        assert not first.leads()
        await asyncio.sleep(RETRY_SECONDS + 0.1)
        assert second.leads()
        await second.stop()
        return second.terms[0][0] - stopped

    assert run(story()) <= RETRY_SECONDS + 0.1


@pytest.mark.parametrize("lease", [None, empty_lease()], ids=["created", "taken"])
def test_a_lease_whose_answer_was_not_waited_for_is_released_too(lease: Manifest | None) -> None:
    async def story() -> None:
        leases = Leases(lease)
        leases.answer_seconds = 1.0
        replica = Replica(leases, "a")
        await asyncio.sleep(0.5)
        assert leases.lease is not None
        assert leases.lease["spec"]["holderIdentity"] == replica.election.identity
        await replica.stop()
        assert replica.terms == []
        assert leases.lease["spec"]["holderIdentity"] == ""

    run(story())


def test_a_killed_leader_is_followed_when_its_lease_has_run_out_and_not_before() -> None:
    async def story() -> float:
        leases = Leases()
        first = Replica(leases, "a")
        second = Replica(leases, "b")
        await asyncio.sleep(31)
        leases.outage.add("a")  # killed: it neither renews nor releases
        died = now()
        await asyncio.sleep(60)
        assert len(second.terms) == 1
        await first.stop()
        await second.stop()
        return second.terms[0][0] - died

    assert LEASE_SECONDS - RETRY_SECONDS - 1 <= run(story()) <= LEASE_SECONDS + 2 * RETRY_SECONDS


@pytest.mark.parametrize("how", ["outage", "hang"])
def test_a_leader_cut_off_from_the_api_stops_before_another_may_start(how: str) -> None:
    async def story() -> None:
        leases = Leases()
        first = Replica(leases, "a")
        await asyncio.sleep(10)
        second = Replica(leases, "b")
        await asyncio.sleep(10)
        getattr(leases, how).add("a")
        cut = now()
        await asyncio.sleep(60)
        ended = first.terms[0][1]
        assert ended - cut <= RENEW_DEADLINE_SECONDS + RETRY_SECONDS
        assert second.leads()
        assert ended < second.terms[0][0]
        getattr(leases, how).clear()
        await asyncio.sleep(60)
        assert second.leads(), "coming back does not take the Lease away"
        assert not first.leads()
        await first.stop()
        await second.stop()

    run(story())


def test_a_short_outage_does_not_change_the_leader() -> None:
    async def story() -> None:
        leases = Leases()
        first = Replica(leases, "a")
        await asyncio.sleep(10)
        second = Replica(leases, "b")
        for _ in range(5):
            leases.outage |= {"a", "b"}
            await asyncio.sleep(RENEW_DEADLINE_SECONDS - 3 * RETRY_SECONDS)
            leases.outage.clear()
            await asyncio.sleep(10)
        assert len(first.terms) == 1
        assert first.leads()
        assert second.terms == []
        await first.stop()
        await second.stop()

    run(story())


def test_a_leader_notices_that_the_lease_was_taken_by_hand() -> None:
    async def story() -> None:
        leases = Leases()
        replica = Replica(leases, "a")
        await asyncio.sleep(10)
        assert leases.lease is not None
        leases.put({**leases.lease, "spec": {**leases.lease["spec"], "holderIdentity": "somebody"}})
        await asyncio.sleep(2 * RETRY_SECONDS)
        assert not replica.leads()
        assert not replica.election.is_leading()
        await asyncio.sleep(2 * LEASE_SECONDS)
        assert replica.leads(), "nobody renews it, so it runs out"
        assert leases.lease["spec"]["leaseTransitions"] == 1
        await replica.stop()

    run(story())


def test_a_process_that_was_frozen_knows_that_it_may_not_write_any_more() -> None:
    async def story() -> tuple[bool, bool]:
        time = [0.0]
        election = LeaderElection(Leases().as_seen_by("a"), "ns", "lease", "a", clock=lambda: time[0])
        answers = []

        async def lead() -> None:
            answers.append(election.is_leading())
            time[0] += RENEW_DEADLINE_SECONDS + 1  # stopped here and continued; nothing of the election has run since
            answers.append(election.is_leading())
            await asyncio.Event().wait()

        task = asyncio.ensure_future(election.run(lead))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait([task])
        return answers[0], answers[1]

    assert run(story()) == (True, False)


def test_an_error_in_the_leaders_work_is_raised_and_the_lease_released() -> None:
    async def story() -> None:
        leases = Leases()
        election = LeaderElection(leases.as_seen_by("a"), "ns", "lease", "a", clock=now)

        async def lead() -> None:
            raise ValueError("a bug")

        with pytest.raises(ValueError, match="a bug"):
            await election.run(lead)
        assert leases.lease is not None
        assert leases.lease["spec"]["holderIdentity"] == ""

    run(story())
