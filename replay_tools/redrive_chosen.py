"""A redriver that settles only what a person asked for, and takes that person's word for what no policy can decide.

asked for? -> the worker's own repair -> settled?                        without --take
                                      -> the choice, by the writer       with it, old or new
                                      -> the repair is the answer        with it, join
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from reconciler.decisions import Escalate, Trouble
from reconciler.failed_request import FailedRequest
from reconciler.poison import PoisonMessage
from reconciler.policy import OnDeleted, OnForeign, OnHardDelete, Policy
from reconciler.ports import Table, TimeLeft
from reconciler.redrive import ANSWERED, Execute, Fate, Redriver, judge_again
from replay_tools.explain_text import is_named, plain_or_raw
from replay_tools.redrive_choice import Choice, Take, choice_of, is_made, revival_of

NOT_ASKED_FOR = "not_asked_for"
QUESTIONS = frozenset({Trouble.MANUAL.value, Trouble.DIVERGED.value})
"""What stays a question however well the images join: a person's word answers it."""
DONE = frozenset({"applied", "superseded", "duplicate"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks for: messages of these reasons (none: of any) and this key, and which image to take."""

    reasons: tuple[str, ...] = ()
    key: str | None = None
    take: Take | None = None

    @property
    def is_filter(self) -> bool:
        """Whether some messages are not asked for."""
        return bool(self.reasons or self.key is not None)

    def wants(self, message: PoisonMessage) -> bool:
        """Say whether a message is asked for."""
        key = {name: plain_or_raw(value) for name, value in message.key.items()}
        return (not self.reasons or message.reason in self.reasons) and is_named(key, self.key)


class ChosenRedriver(Redriver):
    """Settles as `Redriver` does, or by a person's word."""

    def __init__(  # noqa: PLR0913 - as Redriver's own
        self,
        table: Table,
        execute: Execute,
        policy: Policy,
        region: str,
        *,
        asked: Asked,
        show: Callable[[PoisonMessage], None] | None = None,
        **bounds: Any,  # noqa: ANN401 - those of Redriver
    ) -> None:
        """Work as asked; `show` is told of each message before it is judged."""
        super().__init__(table, execute, policy, region, **bounds)
        self._asked = asked
        self._show = show
        self._replica, self._write, self._rules = table, execute, policy
        self._with = partial(_redriver, table, execute, region, bounds)

    def _settle(self, message: PoisonMessage, sent_ms: int, time_left: TimeLeft) -> Fate:
        if not self._asked.wants(message):
            return Fate(settled=False, why=NOT_ASKED_FOR)
        if self._show:
            self._show(message)
        if self._asked.take is None:
            return super()._settle(message, sent_ms, time_left)
        return self._take(message, self._asked.take, sent_ms, time_left)

    def _execute_once(self, request: FailedRequest, sent_ms: int) -> Fate:
        if self._asked.is_filter:
            return Fate(settled=False, why=NOT_ASKED_FOR)
        if self._asked.take:
            return Fate(settled=False, why="request", detail="a request has no images to choose between")
        return super()._execute_once(request, sent_ms)

    def _take(self, message: PoisonMessage, take: Take, sent_ms: int, time_left: TimeLeft) -> Fate:
        """Let the images join, which loses nothing, then let the choice decide what a join leaves open."""
        rules = _answered(self._rules, message, take)
        joined = self._with(rules).settle(message, sent_ms, time_left)
        is_open = not joined.settled
        if is_open and not _is_only_a_question(joined, message, rules, sent_ms):
            return joined
        if message.reason == Trouble.LOST_TO_DELETE.value and take is Take.OLD:
            revival = revival_of(message, self._replica.read(message.key), self._rules)
            nothing = replace(joined, settled=False, why="nothing_to_choose", detail="the item lives again")
            return self._choose(revival, take, joined, nothing)
        if take is Take.JOIN or message.reason == Trouble.HARD_DELETE.value or _is_over(joined):
            return replace(joined, settled=True, why=f"took_{take.value}" if is_open else joined.why)
        choice = choice_of(message, take, self._replica.read(message.key), self._rules)
        nothing = replace(joined, why="nothing_to_choose" if is_open else joined.why, detail=choice.detail)
        return self._choose(choice, take, joined, nothing)

    def _choose(self, choice: Choice, take: Take, joined: Fate, nothing: Fate) -> Fate:
        """Make the choice, once; where there is none left to make, the fate is `nothing`."""
        if choice.is_empty and not is_made(choice, self._replica.read(choice.request.key), self._rules):
            return nothing
        status = self._write(choice.request)["status"]
        if status in DONE:
            return replace(joined, settled=True, why=f"took_{take.value}", detail=choice.detail)
        return replace(joined, settled=False, why=status, detail="somebody wrote meanwhile: try again")


def _redriver(table: Table, execute: Execute, region: str, bounds: Mapping[str, Any], policy: Policy) -> Redriver:
    return Redriver(table, execute, policy, region, **bounds)


def _answered(policy: Policy, message: PoisonMessage, take: Take) -> Policy:
    """Return the policy with its questions answered: of a removal, by the image that is taken."""
    restores = message.reason == Trouble.HARD_DELETE.value and take is not Take.NEW
    return replace(
        policy,
        foreign_writes=OnForeign.ADOPT,
        lost_to_delete=OnDeleted.RECORD,
        hard_delete=OnHardDelete.RESTORE if restores else OnHardDelete.ACCEPT,
    )


def _is_only_a_question(fate: Fate, message: PoisonMessage, policy: Policy, sent_ms: int) -> bool:
    """Say whether the images were joined, and only a person's word is missing."""
    escalated = {name.removeprefix("escalated_") for name in fate.counts if name.startswith("escalated_")}
    if fate.why not in QUESTIONS or not escalated <= QUESTIONS:
        return False
    return not isinstance(judge_again(message, policy, sent_ms), Escalate)


def _is_over(fate: Fate) -> bool:
    """Say whether the life that the question was about is over."""
    return any(fate.counts[f"noop_{fine.value}"] for fine in ANSWERED)
