"""Settle: all that one key has lost in a batch, judged against the item that the table holds.

    lost images, one after another  ->  join into the current item, testing `diverged` at each step
    then every lost image           ->  judged against the result: repaired, beaten by a later life, already there

The same suspects against the same item give the same settlement; nothing is written here.
What a repair itself takes from the table (a delete that comes back beats what it had not seen) is not told here: the
repair's own stream record shows it, with both images.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from reconciler.change import Change, repair_between
from reconciler.classify import Suspect
from reconciler.codec import encode
from reconciler.conflict import Kind
from reconciler.decisions import Decision, Escalate, Fine, Noop, Repair, Trouble
from reconciler.errors import ItemError, MergeError
from reconciler.included import surely_included
from reconciler.item import Item
from reconciler.ledger import Ledger, has_missed, includes
from reconciler.merge import Adoption, Merge, State, read_state
from reconciler.plain import adoption_included
from reconciler.policy import OnDeleted, OnForeign, OnHardDelete, Policy
from reconciler.stamps import NEVER, Stamp
from reconciler.wire import Image
from reconciler.witness import conflict_of


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is to be done for one key: at most one change, and the decisions that it carries out."""

    change: Change | None
    decisions: tuple[Decision, ...]


def settle(suspects: Sequence[Suspect], current: Image | None, policy: Policy, region: str) -> Settlement:
    """Judge one key's suspects, in stream order, against the item that the table holds (None: absent)."""
    open_cases = [suspect for suspect in suspects if not _stands(suspect, current)]
    settled = [Noop(Fine.ALREADY_REPAIRED)] * (len(suspects) - len(open_cases))
    if not open_cases:
        return Settlement(None, tuple(settled))
    settlement = _settle(open_cases, current, policy, region)
    return Settlement(settlement.change, (*settled, *settlement.decisions))


def _settle(suspects: Sequence[Suspect], current: Image | None, policy: Policy, region: str) -> Settlement:
    try:
        start = None if current is None else read_state(current, policy)
    except ItemError as error:
        return Settlement(None, _all(suspects, Trouble.MALFORMED, error))
    settling = _Settling(policy, region, start, current, restores=_restores(suspects, policy))
    for suspect in suspects:
        settling.take(suspect)
    try:
        return settling.settlement()
    except ItemError as error:
        trouble = Trouble.MERGE_FAILED if isinstance(error, MergeError) else Trouble.UNSTORABLE
        return Settlement(None, (*settling.decisions, *_all(settling.taken, trouble, error)))


def _stands(suspect: Suspect, current: Image | None) -> bool:
    """Say whether the table shows at first sight, on the wire, that it has all that was overwritten."""
    return suspect.kind is Kind.OVERWRITTEN and current is not None and surely_included(suspect.loser, current)


def _all(suspects: Sequence[Suspect], trouble: Trouble, error: ItemError) -> tuple[Decision, ...]:
    return tuple(Escalate(trouble, str(error), suspect.record) for suspect in suspects)


def _restores(suspects: Sequence[Suspect], policy: Policy) -> bool:
    """Say whether an absent item is put back: TTL's sweep of a re-created one always is, with all that it had lost."""
    return policy.hard_delete is OnHardDelete.RESTORE or any(suspect.kind is Kind.SWEPT for suspect in suspects)


class _Settling:
    """One key's settlement in the making: suspects are taken one by one, then judged together."""

    def __init__(
        self, policy: Policy, region: str, start: State | None, current: Image | None, *, restores: bool
    ) -> None:
        self._policy = policy
        self._region = region
        self._start = start
        self._current = current
        self._restores = restores
        self._merge = Merge(policy, start)
        self.taken: list[Suspect] = []
        self.decisions: list[Decision] = []

    def take(self, suspect: Suspect) -> None:
        """Join one suspect, to be judged at the end; or decide it at once."""
        try:
            match suspect.kind:
                case Kind.FOREIGN:
                    self._take_foreign(suspect)
                case Kind.HARD_DELETE:
                    self._take_hard_delete(suspect)
                case Kind.LOST_TO_DELETE:
                    self.taken.append(suspect)  # beaten once and for all: no join may bring it back
                case _:
                    self._take_lost(suspect)
        except MergeError as error:
            self._escalate(Trouble.MERGE_FAILED, str(error), suspect)
        except ItemError as error:
            self._escalate(Trouble.MALFORMED, str(error), suspect)

    def settlement(self) -> Settlement:
        """Return the one change, and every decision."""
        image = self._image()
        judged = [decision for suspect in self.taken if (decision := self._judge(suspect, image))]
        return Settlement(self._change(image), (*self.decisions, *judged))

    def _escalate(self, trouble: Trouble, detail: str, suspect: Suspect) -> None:
        self.decisions.append(Escalate(trouble, detail, suspect.record))

    def _record(self, reason: Fine, kind: Kind, suspect: Suspect, merged: Image | None) -> None:
        conflict = conflict_of(kind, suspect.record, merged, self._policy, self._region)
        self.decisions.append(Noop(reason, conflict))

    def _take_lost(self, suspect: Suspect) -> None:
        if self._merge.state is None and not self._restores:
            self._settle_hard_delete(suspect)
            return
        worries = self._merge.join(suspect)
        for trouble, detail in worries:
            self._escalate(trouble, detail, suspect)
        if all(trouble is not Trouble.FOREIGN for trouble, _ in worries):
            self.taken.append(suspect)

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
            return
        match self._merge.adopt_foreign(suspect):
            case Adoption.ADOPTED:
                self.taken.append(suspect)
            case Adoption.ALREADY:
                self.decisions.append(Noop(Fine.ALREADY_REPAIRED))
            case Adoption.GONE:
                self._record(Fine.REPORTED, Kind.FOREIGN, suspect, self._current)
            case _ as unknown:
                assert_never(unknown)

    def _judge(self, suspect: Suspect, merged: Image | None) -> Decision | None:
        """Say what became of one lost image; None where its escalation says it all."""
        loser = self._merge.loser_of(suspect)
        if suspect.kind is Kind.LOST_TO_DELETE or _life(loser) < _life(self._merge.state):
            return self._judge_beaten(suspect, loser, merged)
        if self._merge.state != self._start and not self._was_included(suspect, loser):
            return Repair(conflict_of(suspect.kind, suspect.record, merged, self._policy, self._region))
        is_escalated = any(
            isinstance(decision, Escalate) and decision.record is suspect.record for decision in self.decisions
        )
        return None if is_escalated else Noop(Fine.ALREADY_REPAIRED, plain=not isinstance(loser, Item))

    def _was_included(self, suspect: Suspect, loser: State) -> bool:
        """Say whether the table's item had the loser before anything was joined; a foreign write is in no ledger."""
        if suspect.kind is Kind.FOREIGN or not isinstance(self._start, Item):
            return False
        if isinstance(loser, Item):
            return includes(self._start.ledger, loser.ledger) is True
        return adoption_included(loser, self._start.ledger)

    def _judge_beaten(self, suspect: Suspect, loser: State, merged: Image | None) -> Decision:
        """Judge what a delete beat: the one whose life the table now lives, or else the record's own."""
        is_now = _life(loser) < _life(self._merge.state)
        beaten_by = merged if is_now else suspect.record.new
        rival = self._merge.state if is_now else read_state(suspect.record.new or {}, self._policy)
        if _saw(rival, loser):
            return Noop(Fine.INCLUDED)
        conflict = conflict_of(
            Kind.LOST_TO_DELETE, suspect.record, merged, self._policy, self._region, beaten_by=beaten_by
        )
        if self._policy.lost_to_delete is OnDeleted.ESCALATE:
            detail = "a delete beat writes that it had not seen"
            return Escalate(Trouble.LOST_TO_DELETE, detail, suspect.record)
        return Noop(Fine.BEATEN, conflict)

    def _image(self) -> Image | None:
        """Return the item as it should be; the very image that was found where nothing is to change."""
        state = self._merge.state
        if state == self._start or state is None:
            return self._current
        return encode(state, self._policy) if isinstance(state, Item) else state.image

    def _change(self, image: Image | None) -> Change | None:
        if image is None or image is self._current:
            return None
        return repair_between(self._current, image, self._merge.touched, self._policy)


def _saw(rival: State | None, loser: State) -> bool:
    """Say whether what a delete left behind had seen all that it beat."""
    ledger = rival.ledger if isinstance(rival, Item) else Ledger()
    return not has_missed(ledger, loser.ledger) if isinstance(loser, Item) else adoption_included(loser, ledger)


def _life(state: State | None) -> Stamp:
    return state.ledger.life if isinstance(state, Item) else NEVER
