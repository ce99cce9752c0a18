"""Changes roll out without a failed request of a client that never retries."""

from typing import Any

from tests.support.cluster.client import Client, Load
from tests.support.cluster.files import FileServer
from tests.support.cluster.manifests import SMALL
from tests.support.cluster.tenant import Tenant
from tests.support.judge import SENTENCES, recognise


def _nothing_was_lost(load: Load) -> None:
    assert load.answers.keys() == {"200"}, load.answers
    assert load.answers["200"] > 20, load.answers


def test_edited_resources_roll_without_a_lost_request(tenant: Tenant, client: Client) -> None:
    tenant.serve("english", replicas=2, rollout=None)
    url = tenant.until_ready("english")["url"]
    before = {pod["metadata"]["uid"] for pod in tenant.workers("english")}

    with client.steadily(url, SENTENCES[0]) as load:
        resources: dict[str, Any] = {**SMALL, "requests": {"cpu": "30m", "memory": "96Mi"}}
        tenant.serve("english", replicas=2, resources=resources, rollout=None)
        tenant.until_ready("english")
        tenant.wait("pod", "--for=delete", *_named(tenant, before))

    _nothing_was_lost(load)
    after = tenant.workers("english")
    assert before.isdisjoint(pod["metadata"]["uid"] for pod in after)
    assert {pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] for pod in after} == {"30m"}


def test_another_model_is_fetched_beside_the_old_one(tenant: Tenant, client: Client, files: FileServer) -> None:
    tenant.serve("english", engine="hibari", model=files.model, rollout=None)
    url = tenant.until_ready("english")["url"]
    (old,) = tenant.workers("english")

    with client.steadily(url, SENTENCES[0]) as load:
        moved = {"source": files.at("assets/hibari.onnx?v=2"), "sha256": files.sha256}
        tenant.serve("english", engine="hibari", model=moved, rollout=None)
        status = tenant.until_ready("english")
        tenant.wait("pod", "--for=delete", old["metadata"]["name"])

    _nothing_was_lost(load)
    assert status["model"]["source"] == moved["source"]
    assert recognise(client.speak(url, SENTENCES[5])) == SENTENCES[5]
    jobs = tenant.list("job", "tts-operator.io/service=english")
    assert len(jobs) == 1, "the old model's Job is pruned"


def _named(tenant: Tenant, uids: set[str]) -> list[str]:
    return [pod["metadata"]["name"] for pod in tenant.list("pod") if pod["metadata"]["uid"] in uids]
