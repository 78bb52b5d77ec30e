"""Merge: lost images of any shape joined into one item, with or without `Causality`."""

from collections.abc import Iterator

from reconciler.classify import Suspect, overtakes
from reconciler.codec import decode, encode
from reconciler.decisions import Trouble
from reconciler.foreign import adopt_foreign, foreign_changes, not_registers, still_held
from reconciler.item import Item, Register
from reconciler.join import diverged, join, later
from reconciler.ledger import missing
from reconciler.plain import PlainItem, adopt, adoption_included, has_clock, is_plain, read_plain, resolve_plain, succeeds
from reconciler.policy import CAUSALITY, OnForeign, Policy
from reconciler.policy import Kind as PolicyKind
from reconciler.stamps import TAIL, id_number, region_code_of, tail_of
from reconciler.wire import Image, Value

State = Item | PlainItem | None
Worry = tuple[Trouble, str]


def read_state(image: Image | None, policy: Policy) -> State:
    """Return an image's state; ItemError where its `Causality` is malformed."""
    if image is None:
        return None
    return read_plain(image) if is_plain(image) else decode(image, policy)


class Merge:
    """Joins suspects, one after another, into the state that the table holds."""

    def __init__(self, policy: Policy, state: State) -> None:
        self._policy = policy
        self.state = state
        self.touched: set[str] = set()
        """Paths that stay as they are, but that a foreign write must still hold."""

    def join(self, suspect: Suspect) -> list[Worry]:
        """Join the suspect's loser; return what a person has to look at."""
        loser = read_state(suspect.loser, self._policy)
        match self.state, loser:
            case None, _:
                self.state = loser
                return []
            case PlainItem() as here, PlainItem() as lost:
                if succeeds(here, lost) is False:
                    self.state = resolve_plain(here, lost, self._policy)
                return []
            case Item() as here, PlainItem() as lost:
                return [] if adoption_included(lost, here.ledger) else self._join(here, adopt(lost, self._policy))
            case PlainItem() as here, Item() as lost:
                return self._join_over_plain(here, lost, suspect)
            case Item() as here, Item() as lost:
                return self._join(here, lost)
        return []

    def _join(self, here: Item, lost: Item) -> list[Worry]:
        worries: list[Worry] = []
        if diverged(here, lost):
            worries.append((Trouble.DIVERGED, "the two histories parted before the horizon"))
        worries.extend((Trouble.MANUAL, f"{path}: policy manual") for path in manual_conflicts(here, lost, self._policy))
        self.state = join(here, lost, self._policy)
        return worries

    def _join_over_plain(self, here: PlainItem, lost: Item, suspect: Suspect) -> list[Worry]:
        """Join a loser with a ledger into an item without one: another Region's plain write, or a foreign one."""
        winner = suspect.record.new
        base_image = winner if winner is not None and not is_plain(winner) else suspect.loser
        base = decode(base_image, self._policy)
        if has_clock(here.image) and not overtakes(here.image, base_image, base.ledger):
            return self._join(adopt(here, self._policy), lost)
        changes = foreign_changes(base, here.image, self._policy)
        if self._policy.foreign_writes is not OnForeign.ADOPT or not_registers(changes, self._policy):
            return [(Trouble.FOREIGN, "the table's item has been replaced by a write that bypassed the writer")]
        self.touched.update(changes)
        return self._join(adopt_foreign(base, changes, self._policy), lost)

    def adopt_foreign(self, suspect: Suspect) -> bool:
        """Join a foreign write's registers, if the table still holds them; say whether that changed anything."""
        base, changes = self._foreign(suspect)
        adopted = adopt_foreign(base, changes, self._policy) if changes else base
        if isinstance(self.state, Item):
            if not changes or not still_held(changes, base, self.state):
                return False
            adopted = join(adopted, self.state, self._policy)
        if adopted == self.state:
            return False
        self.state = adopted
        self.touched.update(changes)
        return True

    def unordered_changes(self, suspect: Suspect) -> list[str]:
        """Return the paths of a foreign write that no stamp can order."""
        return not_registers(self._foreign(suspect)[1], self._policy)

    def _foreign(self, suspect: Suspect) -> tuple[Item, dict[str, Value | None]]:
        """Return what the foreign write started from, and what it changed: as the table shows it, where it still does."""
        base = decode(suspect.loser, self._policy)
        held = self.state.image if isinstance(self.state, PlainItem) else suspect.record.new or {}
        return base, foreign_changes(base, held, self._policy)


def manual_conflicts(here: Item, lost: Item, policy: Policy) -> Iterator[str]:
    """Yield the `manual` paths whose losing value the other side has never seen."""
    if here.ledger.life != lost.ledger.life:
        return
    for path in here.registers.keys() & lost.registers.keys():
        if policy.of(path).kind is not PolicyKind.MANUAL:
            continue
        mine, yours = here.registers[path], lost.registers[path]
        if mine.value != yours.value:
            winner = later(mine, yours)
            loser, other = (lost, here) if winner is mine else (here, lost)
            if _wrote(loser, loser.registers[path]) & set(missing(loser.ledger, other.ledger)):
                yield path


def _wrote(item: Item, register: Register) -> set[str]:
    """Return the named writes that may have given a register its value stamp: its ledger stamp, or a client's time."""
    return {
        identity
        for identity, stamps in item.ledger.writes.items()
        if register.stamp in stamps
        or (not region_code_of(register.stamp) and id_number(identity) % TAIL == tail_of(register.stamp))
    }
