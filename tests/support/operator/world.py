"""A cluster in memory for the pure core: plans are carried out on it, and tests play its controllers."""

import copy
import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ttsoperator import names
from ttsoperator.children.context import Context, Defaults
from ttsoperator.children.registry import CHILDREN, Child
from ttsoperator.kube.manifest import Manifest, Ref
from ttsoperator.kube.snapshot import Snapshot
from ttsoperator.reconcile.actions import Action, Adopt, Apply, Create, Delete, HandOverReplicas
from ttsoperator.reconcile.plan import Plan, make_plan
from ttsoperator.reconcile.status import compute_status
from ttsoperator.reconcile.status.observed import Observed
from ttsoperator.spec import TTSService, parse

DEFAULTS = Defaults(worker_image="registry.example.com:5000/tts-worker:1.2")
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
HTTPS = "https://models.example.com/voice.onnx"
SHA = "ab" * 32
OTHER = "https://models.example.com/other.onnx"


def body(name: str = "english", *, generation: int = 1, **spec: Any) -> Manifest:
    """An object of the API; without a model in `spec` it is the builtin one."""
    metadata = {"name": name, "namespace": "speech", "uid": f"uid-{name}", "generation": generation}
    return {"metadata": metadata, "spec": {"model": {"source": "builtin://hibari"}, **spec}}


def service(name: str = "english", *, generation: int = 1, **spec: Any) -> TTSService:
    return parse(body(name, generation=generation, **spec))


def downloaded(generation: int = 1, source: str = HTTPS, **spec: Any) -> TTSService:
    """A service whose model is downloaded."""
    return service(generation=generation, **{"engine": "hibari", "model": {"source": source}, **spec})


class World:
    """KubeClient and pods, with as much of the API's rules as the plan relies upon."""

    def __init__(self, rows: Sequence[Child] = CHILDREN) -> None:
        self.rows = rows
        self.now = START
        self.children: dict[tuple[str, str], Manifest] = {}
        self.pods: dict[str, Manifest] = {}
        self.replicas_owner: str | None = None
        self._numbers = itertools.count(1)

    @property
    def live(self) -> Snapshot:
        return Snapshot(copy.deepcopy(self.children), copy.deepcopy(list(self.pods.values())))

    def plan(self, wanted: TTSService) -> Plan:
        return make_plan(Context(wanted, DEFAULTS, self.live), self.now, self.rows)

    def step(self, wanted: TTSService) -> Plan:
        """Make a plan and carry it out."""
        plan = self.plan(wanted)
        for action in plan.actions:
            self.carry_out(action)
        return plan

    def settle(self, wanted: TTSService, passes: int = 5) -> None:
        """Pass after pass until nothing is left to do; an endless loop fails."""
        for _ in range(passes):
            if not self.step(wanted).actions:
                return
        raise AssertionError(f"still to do after {passes} passes: {self.plan(wanted).actions}")

    def status(
        self, wanted: TTSService, previous: Mapping[str, Any] | None = None, /, **observed: Any
    ) -> dict[str, Any]:
        seen = Observed(self.live, self.plan(wanted).desired, **observed)
        return compute_status(wanted, seen, previous or {}, self.now)

    def carry_out(self, action: Action) -> None:
        match action:
            case Create(manifest):
                key = (manifest["kind"], manifest["metadata"]["name"])
                assert key not in self.children, f"{key} is there already"
                self._write(manifest)
            case Apply(manifest):
                self._write(manifest)
            case Delete(ref):
                self._delete(ref)
            case Adopt(ref, manifest):
                found, given = self.children[ref.kind, ref.name]["metadata"], copy.deepcopy(manifest["metadata"])
                found["ownerReferences"] = given["ownerReferences"]
                found["labels"] = found.get("labels", {}) | given["labels"]
            case HandOverReplicas(ref, replicas):
                self.children[ref.kind, ref.name]["spec"]["replicas"] = replicas
                self.replicas_owner = names.HANDOVER_MANAGER

    def _write(self, manifest: Manifest) -> None:
        """Server-side apply: what we no longer send is gone, unless somebody else holds it."""
        key = (manifest["kind"], manifest["metadata"]["name"])
        old, new = self.children.get(key), copy.deepcopy(manifest)
        fresh: Manifest = {
            "uid": f"uid-{next(self._numbers)}",
            "creationTimestamp": text(self.now),
            "generation": 0,
        }
        kept = {name: old["metadata"][name] for name in fresh} if old else fresh
        new["metadata"] |= {**kept, "generation": kept["generation"] + 1}
        if old and "status" in old:
            new["status"] = old["status"]
        if manifest["kind"] == "Deployment":
            self._own_replicas(new, old)
        self.children[key] = new

    def _own_replicas(self, new: Manifest, old: Manifest | None) -> None:
        if "replicas" in new["spec"]:
            self.replicas_owner = names.MANAGER
        elif old is not None and self.replicas_owner != names.MANAGER:
            new["spec"]["replicas"] = old["spec"]["replicas"]
        else:
            new["spec"]["replicas"] = 1  # the API's default for a field that nobody holds
            self.replicas_owner = None

    def _delete(self, ref: Ref) -> None:
        gone = self.children.pop((ref.kind, ref.name))
        assert ref.uid == gone["metadata"]["uid"]
        for name, pod in list(self.pods.items()):
            if any(owner["uid"] == ref.uid for owner in pod["metadata"].get("ownerReferences", [])):
                del self.pods[name]

    # what the cluster's controllers do

    def after(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def scale(self, replicas: int) -> None:
        """The autoscaler sets the count."""
        deployment = self.one("Deployment")
        deployment["spec"]["replicas"] = replicas
        deployment["metadata"]["generation"] += 1
        self.replicas_owner = "kube-controller-manager"

    def one(self, kind: str) -> Manifest:
        [found] = [child for (k, _), child in self.children.items() if k == kind]
        return found

    def kinds(self) -> list[str]:
        return sorted(kind for kind, _ in self.children)

    def run_job(self, *, message: str = "", phase: str = "Running", **status: Any) -> Manifest:
        """The Job's pod, in `phase`; `message` is what its container left."""
        job = self.one("Job")
        name = f"{job['metadata']['name']}-{job['metadata']['uid']}"
        ended = {"exitCode": 0 if phase == "Succeeded" else 1, "message": message}
        state = {"running": {}} if phase == "Running" else {"terminated": ended}
        pod = self._pod(name, job["spec"]["template"], job["metadata"]["uid"])
        pod["status"] = {"phase": phase, "containerStatuses": [{"name": "fetch", "state": state}], **status}
        self.pods[name] = pod
        return pod

    def finish_job(self, message: str = '{"reason":"Published","digest":"sha256:d1","bytes":77}') -> None:
        self.run_job(message=message, phase="Succeeded")
        self.one("Job")["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}

    def fail_job(self, message: str = '{"reason":"SourceNotFound","message":"404 for the source"}') -> None:
        self.run_job(message=message, phase="Failed")
        failed = {"type": "Failed", "status": "True", "lastTransitionTime": text(self.now), "message": "backoff limit"}
        self.one("Job")["status"] = {"conditions": [failed]}

    def run_workers(self, count: int = 1, *, ready: bool = True, **status: Any) -> None:
        """The Deployment's rollout is through: `count` workers of its current template."""
        deployment = self.one("Deployment")
        self.pods = {
            n: pod for n, pod in self.pods.items() if pod["metadata"]["labels"][names.LABEL_COMPONENT] == "model"
        }
        for number in range(count):
            self.add_worker(f"worker-{number}", ready=ready, **status)
        here = count if ready else 0
        deployment["status"] = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": count,
            "updatedReplicas": count,
            "readyReplicas": here,
            "availableReplicas": here,
        }

    def add_worker(self, name: str, *, ready: bool, **status: Any) -> Manifest:
        pod = self._pod(name, self.one("Deployment")["spec"]["template"], "replicaset")
        condition = {"type": "Ready", "status": str(ready)}
        pod["status"] = {"phase": "Running", "conditions": [condition], **status}
        self.pods[name] = pod
        return pod

    def _pod(self, name: str, template: Manifest, owner: str) -> Manifest:
        pod: Manifest = copy.deepcopy(template)
        pod["metadata"] |= {"name": name, "namespace": "speech", "ownerReferences": [{"uid": owner}]}
        return pod


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def condition(status: Mapping[str, Any], kind: str) -> tuple[str, str]:
    """Status and reason of a condition."""
    [found] = [c for c in status["conditions"] if c["type"] == kind]
    return found["status"], found["reason"]


def message(status: Mapping[str, Any], kind: str) -> str:
    [found] = [c for c in status["conditions"] if c["type"] == kind]
    return str(found["message"])


def summary(plan: Plan) -> list[str]:
    """The actions as words: `create Deployment`."""
    found = []
    for action in plan.actions:
        match action:
            case Create(manifest) | Apply(manifest):
                found.append(f"{type(action).__name__.lower()} {manifest['kind']}")
            case Adopt(ref):
                found.append(f"adopt {ref.kind}")
            case Delete(ref):
                found.append(f"delete {ref.kind}")
            case HandOverReplicas(_, replicas):
                found.append(f"hand over {replicas}")
    return found


def running(**spec: Any) -> World:
    """A downloaded model, served."""
    world, wanted = World(), downloaded(**spec)
    world.step(wanted)
    world.finish_job()
    world.settle(wanted)
    world.run_workers()
    return world
