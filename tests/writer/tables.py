"""Tables that interfere: someone else writes first, or an answer gets lost."""

from collections.abc import Callable, Sequence

from reconciler.change import Change
from reconciler.ports import Stale, StaleItems, Table, Written
from reconciler.wire import Image

Interference = Callable[[], object]


class Interrupted:
    """A table on which something else happens just before each of the first writes."""

    def __init__(self, table: Table, *interferences: Interference) -> None:
        """Let each interference happen before one write."""
        self._table = table
        self._interferences = list(interferences)
        self.changes: list[Change] = []
        self.tokens: list[str] = []

    def read(self, key: Image) -> Image | None:
        """Return the item."""
        return self._table.read(key)

    def write(self, change: Change) -> Written | Stale:
        """Make the change, late."""
        self._interfere()
        self.changes.append(change)
        return self._table.write(change)

    def transact(self, changes: Sequence[Change], token: str) -> Written | StaleItems:
        """Make the changes, late."""
        self._interfere()
        self.changes.extend(changes)
        self.tokens.append(token)
        return self._table.transact(changes, token)

    def _interfere(self) -> None:
        if self._interferences:
            self._interferences.pop(0)()


class Forgetful:
    """A table whose first answer gets lost: the call is repeated by who stands between, as an SDK does."""

    def __init__(self, table: Table) -> None:
        """Lose one answer."""
        self._table = table
        self._lost = False

    def read(self, key: Image) -> Image | None:
        """Return the item."""
        return self._table.read(key)

    def write(self, change: Change) -> Written | Stale:
        """Make the change; the first time twice, with the second answer."""
        self._lose(lambda: self._table.write(change))
        return self._table.write(change)

    def transact(self, changes: Sequence[Change], token: str) -> Written | StaleItems:
        """Make the changes; the first time twice, under another token, with the second answer."""
        self._lose(lambda: self._table.transact(changes, "lost"))
        return self._table.transact(changes, token)

    def _lose(self, call: Interference) -> None:
        if not self._lost:
            self._lost = True
            call()
