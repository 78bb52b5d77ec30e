"""Merge: lost images of any shape joined into one item, with or without `Causality`."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import assert_never

from reconciler.classify import Suspect, overtakes
from reconciler.codec import decode
from reconciler.decisions import Trouble
from reconciler.foreign import adopt_foreign, foreign_changes, not_registers, still_held
from reconciler.item import Item, Register
from reconciler.join import diverged, join, later
from reconciler.ledger import includes, missing
from reconciler.plain import (
    PlainItem,
    adopt,
    adoption_included,
    has_clock,
    is_plain,
    read_plain,
    resolve_plain,
    succeeds,
)
from reconciler.policy import Kind as PolicyKind
from reconciler.policy import OnForeign, Policy, flatten
from reconciler.stamps import TAIL, id_number, region_code_of, tail_of
from reconciler.wire import Image, Value, same

State = Item | PlainItem
Worry = tuple[Trouble, str]


class Adoption(Enum):
    """What became of a foreign write."""

    ADOPTED = "adopted"
    ALREADY = "already adopted"
    GONE = "the table does not hold it"


def read_state(image: Image, policy: Policy, known: Mapping[str, Value | None] | None = None) -> State:
    """Return an image's state; ItemError where it is malformed. `known` as in `decode`."""
    return read_plain(image) if is_plain(image) else decode(image, policy, known)


class Merge:
    """Joins suspects, one after another, into the state that the table holds."""

    def __init__(self, policy: Policy, state: State | None) -> None:
        """Start from what the table holds (None: absent)."""
        self._policy = policy
        self.state = state
        self._losers: dict[int, State] = {}
        self.touched: set[str] = set()
        """Paths that stay as they are, but that a foreign write must still hold."""

    def loser_of(self, suspect: Suspect) -> State:
        """Return the suspect's loser, read once."""
        loser = self._losers.get(id(suspect))
        if loser is None:
            known = _values(self.state) if isinstance(self.state, Item) else {}
            loser = self._losers[id(suspect)] = read_state(suspect.loser, self._policy, known)
        return loser

    def join(self, suspect: Suspect) -> list[Worry]:
        """Join the suspect's loser; return what a person has to look at."""
        loser = self.loser_of(suspect)
        match self.state, loser:
            case None, _:
                self.state = loser
                return []
            case PlainItem() as here, PlainItem() as lost:
                return self._join_plain(here, lost)
            case Item() as here, PlainItem() as lost:
                return (
                    [] if adoption_included(lost, here.ledger) else self._join_adopted(here, adopt(lost, self._policy))
                )
            case PlainItem() as here, Item() as lost:
                return self._join_over_plain(here, lost, suspect)
            case Item() as here, Item() as lost:
                return self._join(here, lost, manual_conflicts(here, lost, self._policy))
        assert_never((self.state, loser))  # type: ignore[arg-type]  # a pair is not narrowed as a whole

    def _join(self, here: Item, lost: Item, manual: Sequence[str]) -> list[Worry]:
        # What the item has needs no joining: under equal stamps it could only undo a foreign value not adopted yet.
        joined = here if _has(here, lost) else join(here, lost, self._policy)
        worries = _manual_worries(manual)
        if diverged(here, lost):
            worries.append((Trouble.DIVERGED, "the two histories parted before the horizon"))
        self.state = joined
        return worries

    def _join_plain(self, here: PlainItem, lost: PlainItem) -> list[Worry]:
        if succeeds(here, lost) is not False:
            return []
        manual = _differing_manual(
            dict(flatten(here.image, self._policy)), dict(flatten(lost.image, self._policy)), self._policy
        )
        self.state = resolve_plain(here, lost, self._policy)
        return _manual_worries(manual)

    def _join_adopted(self, here: Item, lost: Item) -> list[Worry]:
        """Join where one side had no ledger: which `manual` values it had seen is unknown."""
        return self._join(here, lost, _differing_manual(_values(here), _values(lost), self._policy))

    def _join_over_plain(self, here: PlainItem, lost: Item, suspect: Suspect) -> list[Worry]:
        """Join a loser with a ledger into an item without one: another Region's plain write, or a foreign one."""
        winner = suspect.record.new
        base_image = winner if winner is not None and not is_plain(winner) else suspect.loser
        base = decode(base_image, self._policy)
        if has_clock(here.image) and not overtakes(here.image, base_image, base.ledger):
            return self._join_adopted(adopt(here, self._policy), lost)
        changes = foreign_changes(base, here.image, self._policy)
        if self._policy.foreign_writes is not OnForeign.ADOPT or not_registers(changes, self._policy):
            return [(Trouble.FOREIGN, "the table's item has been replaced by a write that bypassed the writer")]
        self.touched.update(changes)
        adopted = adopt_foreign(base, changes, self._policy)
        return self._join(adopted, lost, manual_conflicts(adopted, lost, self._policy))

    def adopt_foreign(self, suspect: Suspect) -> Adoption:
        """Join a foreign write's registers, if the table still holds them."""
        base, changes = self._foreign(suspect)
        adopted = adopt_foreign(base, changes, self._policy) if changes else base
        if isinstance(self.state, Item):
            if (changes or is_plain(suspect.record.new or {})) and _has(self.state, adopted):
                return Adoption.ALREADY
            if not changes or not still_held(changes, base, self.state):
                return Adoption.GONE
            adopted = join(adopted, self.state, self._policy)
        self.state = adopted
        self.touched.update(changes)
        return Adoption.ADOPTED

    def unordered_changes(self, suspect: Suspect) -> list[str]:
        """Return the paths of a foreign write that no stamp can order."""
        return not_registers(self._foreign(suspect)[1], self._policy)

    def _foreign(self, suspect: Suspect) -> tuple[Item, dict[str, Value | None]]:
        """Return what the foreign write started from, and what it changed: as the table shows it, if it still does."""
        base = decode(suspect.loser, self._policy)
        held = self.state.image if isinstance(self.state, PlainItem) else suspect.record.new or {}
        return base, foreign_changes(base, held, self._policy)


def manual_conflicts(here: Item, lost: Item, policy: Policy) -> list[str]:
    """Return the `manual` paths whose losing value the other side has never seen."""
    if here.ledger.life != lost.ledger.life:
        return []
    return [
        path
        for path in _differing_manual(_values(here), _values(lost), policy)
        if _is_unseen(path, here, lost) or _is_unseen(path, lost, here)
    ]


def _is_unseen(path: str, winner: Item, loser: Item) -> bool:
    """Say whether the loser's register is the earlier, and its write missing from the winner's ledger."""
    register = loser.registers[path]
    if later(winner.registers[path], register) is register:
        return False
    return not _wrote(loser, register).isdisjoint(missing(loser.ledger, winner.ledger))


def _wrote(item: Item, register: Register) -> set[str]:
    """Return the named writes that may have given a register its value stamp: its ledger stamp, or a client's time."""
    return {
        identity
        for identity, stamps in item.ledger.writes.items()
        if register.stamp in stamps
        or (not region_code_of(register.stamp) and id_number(identity) % TAIL == tail_of(register.stamp))
    }


def _differing_manual(mine: Mapping[str, Value | None], yours: Mapping[str, Value | None], policy: Policy) -> list[str]:
    return sorted(
        path
        for path in mine.keys() & yours.keys()
        if policy.of(path).kind is PolicyKind.MANUAL and not same(mine[path], yours[path])
    )


def _values(item: Item) -> Mapping[str, Value | None]:
    return {path: register.value for path, register in item.registers.items()}


def _manual_worries(paths: Sequence[str]) -> list[Worry]:
    return [(Trouble.MANUAL, f"{', '.join(paths)}: policy manual")] if paths else []


def _has(state: Item, other: Item) -> bool:
    return state.ledger.life == other.ledger.life and includes(state.ledger, other.ledger) is True
