"""What a change does, as DynamoDB would do it: whether its conditions hold, and what then stands there."""

from reconciler.change import Change
from reconciler.wire import Image, same


def holds(change: Change, current: Image | None) -> bool:
    """Say whether the change may be made to what stands there now (None: absent)."""
    if current is None or change.creates:
        return current is None and change.creates
    return all(same(current.get(name), value) for name, value in change.expects.items())


def after(change: Change, current: Image) -> Image:
    """Return what stands there once an item is updated; what the change does not name stays."""
    kept = {name: value for name, value in current.items() if name not in change.removes}
    return {**kept, **change.sets}


def is_empty(change: Change) -> bool:
    """Say whether the change only asks whether its conditions hold."""
    return not (change.creates or change.sets or change.removes)
