"""Mutations: faults planted in the reconciler, each of which the simulator must find."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """One snippet of one module, put in place of another; found by histories of one of these workloads."""

    name: str
    module: str
    old: str
    new: str
    workloads: tuple[str, ...] = ("contended", "hot")


MUTATIONS = (
    Mutation(
        "the worker never repairs",
        "settle.py",
        "return Settlement(self._change(image), ",
        "return Settlement(None, ",
    ),
    Mutation(
        "the worker takes a lost race for done",
        "effects.py",
        "if stale is None:",
        "if stale is None or number:",
    ),
    Mutation(
        "the worker does not tell a divergence",
        "merge.py",
        "if diverged(here, lost):",
        "if diverged(here, here):",
        ("tight", "tight-three"),
    ),
    Mutation(
        "join drops a dot",
        "join.py",
        "| {dot for dot in there if not left.ledger.knows(dot, ours)}",
        "",
    ),
    Mutation(
        "join takes the older stamp",
        "join.py",
        "return left if left.stamp > right.stamp else right",
        "return left if left.stamp < right.stamp else right",
    ),
    Mutation(
        "join counts an id twice",
        "join.py",
        "lambda _, a, b: _join_by_name(a, b, lambda _, x, y: max(x, y))",
        "lambda _, a, b: {name: a.get(name, ZERO) + b.get(name, ZERO) for name in {**a, **b}}",
        ("hot",),
    ),
    Mutation(
        "join ignores the horizon",
        "ledger.py",
        "return stamp <= self.horizon or stamp in named",
        "return stamp in named",
        ("folding", "folding-three"),
    ),
    Mutation(
        "join names again what is folded",
        "join.py",
        "merge_writes(above(left.writes, ahead.horizon), above(right.writes, ahead.horizon))",
        "merge_writes(left.writes, right.writes)",
        ("folding", "folding-three"),
    ),
    Mutation(
        "join lets a delete lose",
        "join.py",
        "return max(left, right, key=lambda item: item.ledger.life)",
        "return min(left, right, key=lambda item: item.ledger.life)",
        ("deletes",),
    ),
    Mutation(
        "the writer folds what is younger than min_window",
        "apply.py",
        "due = min(due, old_enough)",
        "due = max(due, 0 * old_enough)",
        ("folding", "folding-three"),
    ),
    Mutation(
        "ids are compared without stamps",
        "ledger.py",
        "return all(stamps <= new.get(identity, frozenset()) for identity, stamps in old.items())",
        "return old.keys() <= new.keys()",
        ("hot", "three"),
    ),
    Mutation(
        "a removed register is forgotten",
        "causality.py",
        "if register.stamp != newest or register.value is None",
        "if register.stamp != newest and register.value is not None",
        ("three",),
    ),
    Mutation(
        "a delta is folded with its id's first execution",
        "item.py",
        "folded = {identity: delta for identity, delta in deltas.items() if identity not in ledger.writes}",
        "folded = dict(deltas)",
        ("folding", "folding-three"),
    ),
    Mutation(
        "the writer executes a retry again",
        "attempt.py",
        "return write_id(idempotency_key) in item.ledger.writes or item.newest.idempotency_key == idempotency_key",
        "return item.newest.idempotency_key == idempotency_key",
    ),
    Mutation(
        "the writer writes without a condition",
        "attempt.py",
        "        return (CAUSALITY,)\n",
        "        return ()\n",
    ),
    Mutation(
        "the writer stamps by its clock alone",
        "stamps.py",
        "max(now_ms * TICKS_PER_MS, newest // TICK + 1)",
        "now_ms * TICKS_PER_MS",
    ),
    Mutation(
        "the newest write is the last one that came",
        "apply.py",
        "newest=max(item.newest, newest),",
        "newest=newest,",
        ("late",),
    ),
    Mutation(
        "a delete forgets the ledger",
        "item.py",
        "return Item(item.key, replace(item.ledger, life=stamp))",
        "return Item(item.key, replace(item.ledger, life=stamp, writes=dict([item.ledger.writes.copy().popitem()])))",
        ("deletes",),
    ),
    Mutation(
        "a transaction is refused only if every item refuses",
        "writer.py",
        "if any(refusals):",
        "if all(refusals):",
        ("transactions",),
    ),
)
