"""A child of an add-on's API, which is only a row. Run as a program, this is the operator with that row."""

from ttsoperator.children import registry
from ttsoperator.children.context import Context
from ttsoperator.children.registry import Child
from ttsoperator.kube.manifest import Manifest
from ttsoperator.kube.metadata import metadata, with_applied_hash
from ttsoperator.kube.resources import Resource
from ttsoperator.names import Component

GADGETS = "gadgets.example/v1"


def build(context: Context) -> Manifest | None:
    """A Gadget for services of two workers or more."""
    if context.service.spec.replicas < 2:
        return None
    labelled = metadata(context.service, context.service.name, Component.WORKER)
    return with_applied_hash({"apiVersion": GADGETS, "kind": "Gadget", "metadata": labelled, "spec": {"size": 1}})


GADGET = Child(Resource("Gadget", GADGETS, "gadgets", optional=True), Component.WORKER, "fun", build)


def add_row() -> None:
    """Put the row before the others, where a colleague would write it."""
    before = registry.CHILDREN
    registry.CHILDREN = (GADGET, *before)  # type: ignore[misc]  # Final for the product: only a test adds a row
    for each in vars(registry).values():
        if getattr(each, "__defaults__", None) == (before,):
            each.__defaults__ = (registry.CHILDREN,)


if __name__ == "__main__":
    add_row()
    from ttsoperator.main import main  # with the row, which the other modules read when they are imported

    main()
