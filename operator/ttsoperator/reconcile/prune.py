"""Which children go: those that are there, ours, and no longer wanted."""

from collections.abc import Collection, Iterator, Sequence

from ttsoperator.children.context import Context
from ttsoperator.children.registry import Child
from ttsoperator.kube.manifest import Manifest, component_of, controller_of, is_deleting, ref
from ttsoperator.reconcile.actions import Delete


def prune(
    context: Context, desired: Collection[tuple[str, str]], rows: Sequence[Child], *, deleted_first: bool
) -> Iterator[Delete]:
    """Yield the deletion of every child that is not `desired` (kind, name) and that its row lets go, row by row.

    Left alone are objects that are no child of these rows, and those without a controller (a retained claim), unless
    they would interfere. `deleted_first` selects the rows of before or of after the writes: those that would.
    """
    for row in rows:
        if row.deleted_first is not deleted_first:
            continue
        for child in context.snapshot.of(row.resource.kind):
            wanted = (row.resource.kind, child["metadata"]["name"]) in desired
            kept = controller_of(child) is None and not deleted_first
            if not wanted and not kept and not is_deleting(child) and (reason := _unwanted(child, row, rows, context)):
                yield Delete(ref(child), reason)


def _unwanted(child: Manifest, row: Child, rows: Sequence[Child], context: Context) -> str | None:
    """Return why the row deletes the child, None to keep it or to leave it to another row.

    A child without a component label, which somebody must have removed, may belong to every row of its kind: all of
    these must let it go, and the first one deletes it.
    """
    component = component_of(child)
    owners = [r for r in rows if r.resource.kind == child["kind"] and component in (None, r.component.value)]
    if not owners or owners[0] is not row:
        return None
    reasons = [owner.unwanted(child, context) for owner in owners]
    return reasons[0] if all(reasons) else None
