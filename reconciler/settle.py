"""Settle: all that one key has lost in a batch, judged against the item that the table holds.

    lost images, one after another  ->  join into the current item, testing `diverged` at each step
    then every lost image           ->  judged against the result: repaired, beaten by a later life, already there

The same suspects against the same item give the same settlement; nothing is written here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.change import Change, change_between
from reconciler.classify import Suspect
from reconciler.codec import encode
from reconciler.conflict import Kind
from reconciler.decisions import Decision, Escalate, Fine, Noop, Repair, Trouble
from reconciler.errors import ItemError, MergeError
from reconciler.item import Item
from reconciler.ledger import includes
from reconciler.merge import Merge, State, read_state
from reconciler.plain import adoption_included
from reconciler.policy import CAUSALITY, IDEMPOTENCY_KEY, TIMESTAMP, VERSION, OnDeleted, OnForeign, OnHardDelete, Policy, split_path
from reconciler.wire import Image
from reconciler.witness import conflict_of


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is to be done for one key: at most one change, and the decisions that it carries out."""

    change: Change | None
    decisions: tuple[Decision, ...]


def settle(suspects: Sequence[Suspect], current: Image | None, policy: Policy, region: str) -> Settlement:
    """Judge one key's suspects, in stream order, against the item that the table holds (None: absent)."""
    try:
        start = read_state(current, policy)
    except ItemError as error:
        return Settlement(None, _all(suspects, Trouble.MALFORMED, error))
    settling = _Settling(policy, region, start, current)
    for suspect in suspects:
        settling.take(suspect)
    try:
        return settling.settlement()
    except ItemError as error:
        trouble = Trouble.MERGE_FAILED if isinstance(error, MergeError) else Trouble.UNSTORABLE
        return Settlement(None, (*settling.decisions, *_all(settling.joined, trouble, error)))


def _all(suspects: Sequence[Suspect], trouble: Trouble, error: ItemError) -> tuple[Decision, ...]:
    return tuple(Escalate(trouble, str(error), suspect.record) for suspect in suspects)


class _Settling:
    """One key's settlement in the making."""

    def __init__(self, policy: Policy, region: str, start: State, current: Image | None) -> None:
        self._policy = policy
        self._region = region
        self._start = start
        self._current = current
        self._merge = Merge(policy, start)
        self.joined: list[Suspect] = []
        self.decisions: list[Decision] = []

    def take(self, suspect: Suspect) -> None:
        """Join one suspect, or decide it at once."""
        try:
            match suspect.kind:
                case Kind.FOREIGN:
                    self._take_foreign(suspect)
                case Kind.HARD_DELETE:
                    self._take_hard_delete(suspect)
                case _:
                    self._take_lost(suspect)
        except MergeError as error:
            self._escalate(Trouble.MERGE_FAILED, str(error), suspect)
        except ItemError as error:
            self._escalate(Trouble.MALFORMED, str(error), suspect)

    def settlement(self) -> Settlement:
        """Return the one change, and every decision."""
        image = self._image()
        for suspect in self.joined:
            self._judge(suspect, image)
        self._judge_current(image)
        return Settlement(self._change(image), tuple(self.decisions))

    def _escalate(self, trouble: Trouble, detail: str, suspect: Suspect) -> None:
        self.decisions.append(Escalate(trouble, detail, suspect.record))

    def _record(self, reason: Fine, kind: Kind, suspect: Suspect, merged: Image | None) -> None:
        conflict = conflict_of(kind, suspect.record, merged, self._policy, self._region)
        self.decisions.append(Noop(reason, conflict))

    def _take_lost(self, suspect: Suspect) -> None:
        restores = suspect.kind is Kind.SWEPT or self._policy.hard_delete is OnHardDelete.RESTORE
        if self._merge.state is None and not restores:
            self._settle_hard_delete(suspect)
            return
        for trouble, detail in self._merge.join(suspect):
            self._escalate(trouble, detail, suspect)
        self.joined.append(suspect)

    def _take_hard_delete(self, suspect: Suspect) -> None:
        if self._policy.hard_delete is OnHardDelete.RESTORE:
            self._take_lost(suspect)
        else:
            self._settle_hard_delete(suspect)

    def _settle_hard_delete(self, suspect: Suspect) -> None:
        if self._policy.hard_delete is OnHardDelete.ESCALATE:
            self._escalate(Trouble.HARD_DELETE, "a REMOVE left no tombstone", suspect)
        else:
            self._record(Fine.HARD_DELETED, Kind.HARD_DELETE, suspect, None)

    def _take_foreign(self, suspect: Suspect) -> None:
        if self._policy.foreign_writes is OnForeign.ESCALATE:
            self._escalate(Trouble.FOREIGN, "a write bypassed the writer", suspect)
        elif self._policy.foreign_writes is OnForeign.REPORT or self._merge.state is None:
            self._record(Fine.REPORTED, Kind.FOREIGN, suspect, self._current)
        else:
            self._adopt(suspect)

    def _adopt(self, suspect: Suspect) -> None:
        unordered = self._merge.unordered_changes(suspect)
        if unordered:
            names = ", ".join(unordered)
            self._escalate(Trouble.FOREIGN, f"{names}: changed by a foreign write, and no stamp can order it", suspect)
        elif self._merge.adopt_foreign(suspect):
            conflict = conflict_of(Kind.FOREIGN, suspect.record, self._image(), self._policy, self._region)
            self.decisions.append(Repair(conflict))
        else:
            self._record(Fine.REPORTED, Kind.FOREIGN, suspect, self._current)

    def _judge(self, suspect: Suspect, merged: Image | None) -> None:
        """Say what became of one lost image."""
        loser = read_state(suspect.loser, self._policy)
        if self._was_beaten(loser):
            self._judge_beaten(suspect, merged)
        elif self._was_included(loser):
            self.decisions.append(Noop(Fine.ALREADY_REPAIRED))
        elif self._merge.state != self._start:
            kind = suspect.kind if suspect.kind in {Kind.SWEPT, Kind.HARD_DELETE} else Kind.OVERWRITTEN
            self.decisions.append(Repair(conflict_of(kind, suspect.record, merged, self._policy, self._region)))

    def _was_included(self, loser: State) -> bool:
        match self._start, loser:
            case Item() as start, Item():
                return includes(start.ledger, loser.ledger) is True
            case Item() as start, loser if loser is not None:
                return adoption_included(loser, start.ledger)
            case _:
                return False

    def _was_beaten(self, loser: State) -> bool:
        """Say whether the loser belongs to an older life than the result."""
        life = loser.ledger.life if isinstance(loser, Item) else 0
        return isinstance(self._merge.state, Item) and life < self._merge.state.ledger.life

    def _judge_beaten(self, suspect: Suspect, merged: Image | None) -> None:
        conflict = conflict_of(Kind.LOST_TO_DELETE, suspect.record, merged, self._policy, self._region)
        if not conflict.writes:
            self.decisions.append(Noop(Fine.INCLUDED))
        elif self._policy.lost_to_delete is OnDeleted.ESCALATE:
            self._escalate(Trouble.LOST_TO_DELETE, "a delete beat writes that it had not seen", suspect)
        else:
            self.decisions.append(Noop(Fine.BEATEN, conflict))

    def _judge_current(self, merged: Image | None) -> None:
        """Report what the repair itself takes from the table: a delete that comes back beats what it had not seen."""
        start, end = self._start, self._merge.state
        if not (isinstance(start, Item) and isinstance(end, Item)) or start.ledger.life == end.ledger.life:
            return
        returning = self.joined[-1]
        beaten = replace(returning.record, old=self._current, new=merged)
        conflict = conflict_of(Kind.LOST_TO_DELETE, beaten, merged, self._policy, self._region)
        if not conflict.writes:
            return
        if self._policy.lost_to_delete is OnDeleted.ESCALATE:
            self._escalate(Trouble.LOST_TO_DELETE, "the delete that comes back beats writes that it had not seen", returning)
        else:
            self.decisions.append(Noop(Fine.BEATEN, conflict))

    def _image(self) -> Image | None:
        """Return the item as it should be; the very image that was found where nothing is to change."""
        state = self._merge.state
        if state == self._start:
            return self._current
        return encode(state, self._policy) if isinstance(state, Item) else state and state.image

    def _change(self, image: Image | None) -> Change | None:
        if image is None or image is self._current:
            return None
        key = self._policy.key_of(image)
        change = change_between(key, self._current, image, ())
        if self._current is None:
            return change
        if not (change.sets or change.removes):
            return None
        plain = () if CAUSALITY in self._current else (VERSION, TIMESTAMP, IDEMPOTENCY_KEY)
        touched = {split_path(path)[0] if "/" in path else path for path in self._merge.touched}
        expects = {CAUSALITY, *plain, *change.sets, *change.removes, *touched}
        return replace(change, expects={name: self._current.get(name) for name in sorted(expects)})
