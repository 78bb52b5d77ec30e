"""Exact: what one item lost where its images carry `Causality`, a ledger of the writes that each includes.

Nothing has to be guessed then: a write that the old image names and the new one does not was overwritten, and its own
record is the one that first names it in the Region that executed it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.causality import causality_of, decode_ledger
from reconciler.ledger import Ledger, missing
from reconciler.policy import CAUSALITY, EXPIRES_AT, IDEMPOTENCY_KEY, LAST_REGION, Policy, Region, split_path
from reconciler.stamps import WriteId, region_code_of, write_id
from reconciler.wire import Image, members_of
from replay_tools.audit.chains import Step, chain_of
from replay_tools.audit.finding import LostWrite, lost_attributes

MAX_REGIONS = 99
WHY = "the winner's ledger lacks the write"


@dataclass(frozen=True, slots=True)
class Ledgers:
    """Reads ledgers; without a policy file, whatever Region codes there are."""

    policy: Policy
    names_regions: bool

    @classmethod
    def of(cls, policy: Policy | None) -> "Ledgers":
        """Read by the policy's list of Regions, if there is one."""
        if policy is not None:
            return cls(policy, names_regions=True)
        regions = tuple(Region(str(code)) for code in range(1, MAX_REGIONS + 1))
        return cls(Policy("unknown", "unknown", regions), names_regions=False)

    def read(self, image: Image | None) -> Ledger:
        """Return the image's ledger, an empty one of nothing; ItemError where it is malformed."""
        return Ledger() if image is None else decode_ledger(causality_of(image), self.policy)

    def executed_in(self, ledger: Ledger, identity: WriteId) -> str | None:
        """Return the Region of the write's first execution, where the policy names its code."""
        if not self.names_regions:
            return None
        code = region_code_of(min(ledger.writes[identity]))
        return self.policy.regions[code - 1]


def has_ledgers(steps: Mapping[str, Sequence[Step]]) -> bool:
    """Say whether every image of the item carries one."""
    images = [image for own in steps.values() for step in own for image in (step.old, step.new) if image is not None]
    return bool(images) and all(CAUSALITY in image for image in images)


def judge_ledgers(key: Image, steps: Mapping[str, Iterable[Step]], ledgers: Ledgers) -> list[LostWrite]:
    """Return the item's lost writes, each once, as its first overwriting shows it; ItemError for a malformed ledger."""
    read = {region: _read_steps(own, ledgers) for region, own in steps.items()}
    lost: dict[WriteId, LostWrite] = {}
    for region, own in read.items():
        for step, old, new in own:
            if step.old is None or step.new is None:
                continue
            for identity in missing(old, new):
                own_step = _own_record(identity, read, ledgers.executed_in(old, identity))
                if own_step is None:
                    continue  # the recordings begin after the write
                if identity not in lost or own_step.region == region != lost[identity].overwritten_in:
                    lost[identity] = _finding(key, identity, own_step, step, read)
    return list(lost.values())


_Read = list[tuple[Step, Ledger, Ledger]]


def _read_steps(steps: Iterable[Step], ledgers: Ledgers) -> _Read:
    shown = [link.step for link in chain_of(steps) if link.step is not None]
    return [(step, ledgers.read(step.old), ledgers.read(step.new)) for step in shown]


def _finding(key: Image, identity: WriteId, own: Step, step: Step, read: Mapping[str, _Read]) -> LostWrite:
    """Return the loss of the write that `own` recorded and `step` overwrote."""
    values = set(lost_attributes(key, own.old, own.new, step.new)) - {EXPIRES_AT}
    return LostWrite(
        region=own.region,
        key=key,
        sequence_number=own.sequence_number,
        attributes=tuple(sorted(values.union(_counted(own.new, identity)))),
        exactness="exact",
        why=WHY,
        at_ms=own.at_ms,
        overwritten_in=step.region,
        overwritten_by=step.sequence_number,
        made_in=_last_region(step.new, read),
    )


def _own_record(identity: WriteId, read: Mapping[str, _Read], executed_in: str | None) -> Step | None:
    """Return the record that first names the write, in the Region that executed it."""
    first: dict[str, Step] = {}
    for region, own in read.items():
        for step, old, new in own:
            if identity in new.writes and identity not in old.writes:
                first.setdefault(region, step)
    named = [executed_in, *(_maker(step.new, identity) for step in first.values()), *first]
    return next((first[region] for region in named if region in first), None)


def _maker(image: Image | None, identity: WriteId) -> str:
    """Return the Region that the image names, where it is that of this very write."""
    newest = (image or {}).get(IDEMPOTENCY_KEY, {}).get("S")
    is_own = isinstance(newest, str) and write_id(newest) == identity
    return str((image or {}).get(LAST_REGION, {}).get("S", "")) if is_own else ""


def _last_region(image: Image | None, regions: Iterable[str]) -> str | None:
    region = (image or {}).get(LAST_REGION, {}).get("S")
    return region if region in set(regions) else None


def _counted(image: Image | None, identity: WriteId) -> Iterable[str]:
    """Return the counters that the write changed: what they lost shows in no single value."""
    deltas = members_of(causality_of(image).get("Deltas", {})) if image else None
    for path, by_write in (deltas or {}).items():
        if identity in (members_of(by_write) or {}):
            yield split_path(path)[0]
