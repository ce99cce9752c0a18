"""Which children go: those that are there, ours, and no longer wanted."""

from collections.abc import Collection, Iterable, Iterator

from ttsoperator.children.context import Context
from ttsoperator.children.registry import Child
from ttsoperator.kube.manifest import controller_of, is_deleting, ref
from ttsoperator.reconcile.actions import Delete


def prune(
    context: Context, desired: Collection[tuple[str, str]], rows: Iterable[Child], *, deleted_first: bool
) -> Iterator[Delete]:
    """Yield the deletion of every child that is not `desired` (kind, name) and that its row lets go, row by row.

    Left alone are objects that are no child of these rows, and those without a controller (a retained claim).
    `deleted_first` selects the rows of before or of after the writes.
    """
    for row in rows:
        if row.deleted_first is not deleted_first:
            continue
        for child in context.snapshot.of(row.resource.kind, row.component):
            kept = (row.resource.kind, child["metadata"]["name"]) in desired or controller_of(child) is None
            if not kept and not is_deleting(child) and (reason := row.unwanted(child, context)):
                yield Delete(ref(child), reason)
