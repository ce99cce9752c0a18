"""A deleted service leaves nothing except a volume with the reclaim policy Retain."""

from tests.support.cluster.files import FileServer
from tests.support.cluster.tenant import Tenant
from tests.support.cluster.waiting import eventually

ALL = "serviceaccount,configmap,persistentvolumeclaim,job,deployment,replicaset,pod,service,horizontalpodautoscaler"


def test_everything_goes_but_the_retained_claim(tenant: Tenant, files: FileServer) -> None:
    tenant.serve("gone", engine="hibari", model=files.model, autoscaling={"maxReplicas": 2})
    tenant.serve("kept", engine="hibari", model=files.model, storage={"reclaimPolicy": "Retain", "size": "1Gi"})
    tenant.until_ready("gone")
    tenant.until_ready("kept")
    retained = tenant.get("pvc", "kept-model")["metadata"]["uid"]

    tenant.delete("tts", "gone")
    tenant.delete("tts", "kept")

    def only_the_claim_is_left() -> bool:
        left = tenant.names(ALL, "app.kubernetes.io/managed-by=tts-operator")
        assert left == ["PersistentVolumeClaim/kept-model"], left
        return True

    eventually(only_the_claim_is_left)

    # A service of the same name finds its model again: nothing is downloaded a second time.
    downloads = files.log().count(" 200 ")
    tenant.serve("kept", engine="hibari", model=files.model, storage={"reclaimPolicy": "Delete", "size": "1Gi"})
    tenant.until_ready("kept")
    assert tenant.get("pvc", "kept-model")["metadata"]["uid"] == retained
    assert files.log().count(" 200 ") == downloads

    # The policy is what the spec says when the service is deleted.
    tenant.delete("tts", "kept")
    eventually(lambda: not tenant.names(ALL, "app.kubernetes.io/managed-by=tts-operator"))
