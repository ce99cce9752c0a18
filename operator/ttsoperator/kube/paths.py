"""URL paths of the API server: the operator knows its kinds, so it asks nobody for them."""

from ttsoperator.kube.manifest import Ref


def path(target: Ref, plural: str, *, collection: bool = False) -> str:
    """Return the URL path of an object, or of the collection it is in."""
    namespace = f"/namespaces/{target.namespace}" if target.namespace else ""
    name = "" if collection else f"/{target.name}"
    return f"{root(target.api_version)}{namespace}/{plural}{name}"


def root(api_version: str) -> str:
    """Return the URL path of an API group and version."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
