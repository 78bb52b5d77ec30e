"""Asking: what one random request asks of one item, by the policies of its attributes."""

from random import Random  # noqa: TID251 - seeded: handed in by `generate`

from replay_tools.simulator.steps import Ask

CORE_PATHS = ("Data", "Note", "Balance", "Tags")
PATHS = (
    *("Data", "Note", "Balance", "Tags", "Limit", "Floor", "Labels", "Status", "Motto", "Owner", "Address"),
    *("Address/City", "Address/Street", "Profile/Name", "Profile/Logins", "Profile/Badges", "Profile/Home/Visits"),
)
_REMOVALS = 0.15
_COUNTERS = {"Balance", "Profile/Logins", "Profile/Home/Visits"}
_SETS = {"Tags", "Profile/Badges"}
_STATES = ("pending", "active", "suspended", "closed")


class Asking:
    """Makes what one request asks of one item."""

    def __init__(self, item: str, number: int, random: Random) -> None:
        """Begin with nothing; what is set bears the request's number."""
        self._item = item
        self._number = number
        self._random = random
        self._parts: dict[str, dict[str, object]] = {}

    def ask(self) -> Ask:
        """Return what has been put together."""
        parts = {name: tuple(part.items()) for name, part in self._parts.items() if name != "removes"}
        return Ask(self._item, removes=tuple(self._parts.get("removes", {})), **parts)  # type: ignore[arg-type]  # parts are named as the fields are

    def about(self, path: str) -> None:
        """Ask something of one attribute, as its policy allows."""
        if path in _COUNTERS:
            self._put("adds", path, self._random.randint(-5, 9))
        elif path in _SETS:
            self._elements(path)
        elif path == "Labels":
            self._put("elements_added", path, frozenset(self._random.sample("lmno", 1)))
        elif path in {"Limit", "Floor"}:
            self._put("sets", path, self._random.randint(-9, 99))
        elif path == "Status":
            self._put("sets", path, self._random.choice(_STATES))
        elif path != "Motto" and (path == "Address" or self._random.random() < _REMOVALS):
            self._remove(path)
        elif not self._is_named("removes", path):
            self._put("sets", path, f"v{self._number}")

    def _remove(self, path: str) -> None:
        """Remove a register, or a whole map; never both a map and its member."""
        names = {*self._parts.get("sets", {}), *self._parts.get("removes", {})}
        if not any(name.split("/")[0] == path.split("/", maxsplit=1)[0] for name in names):
            self._put("removes", path, None)

    def _is_named(self, part: str, path: str) -> bool:
        return path.split("/", maxsplit=1)[0] in self._parts.get(part, {})

    def _elements(self, path: str) -> None:
        chosen = self._random.sample("abc", self._random.randint(1, 2))
        added = chosen[:1] if self._random.random() < 2 / 3 else []
        removed = chosen[len(added) :]
        if added:
            self._put("elements_added", path, frozenset(added))
        if removed:
            self._put("elements_removed", path, frozenset(removed))

    def _put(self, part: str, path: str, value: object) -> None:
        self._parts.setdefault(part, {})[path] = value
