"""The ledger at its bounds: `max_writes` and `max_causality_bytes`. Refused writes are told, accepted ones are kept."""

import pytest

from reconciler.errors import CausalityFullError
from reconciler.policy import MINUTE, Region
from reconciler.size import value_bytes
from tests.faults.site import EAST, WEST
from tests.faults.world import MemoryWorld, memory_world

FULL = 2_500
MOST = 100


def filled(world: MemoryWorld, region: Region, *, owned: bool = False) -> tuple[int, CausalityFullError]:
    """Write the item until its ledger is full; return how many writes it took, and what the client was told then."""
    for number in range(MOST):
        try:
            world.write(region, "x", f"{region}-{number}", owned=owned)
        except CausalityFullError as error:
            return number, error
    raise AssertionError("the ledger is never full")


def test_folding_while_both_regions_write_loses_nothing() -> None:
    """60 conflicts on one item, a minute apart, with room for 5 writes: what is folded stays counted."""
    world = memory_world(max_writes=5, min_window_ms=MINUTE)
    for number in range(60):
        world.conflict(["x"], f"k{number}")
        world.settle()
        world.pass_ms(MINUTE)
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged == 120
    (image,) = world.east.items()
    assert len(image["Causality"]["M"]["Writes"]["M"]) <= 11
    assert image["Version"] == {"N": "120"}
    assert [*world.east.messages(), *world.west.messages()] == []


def test_a_full_ledger_refuses_and_says_so() -> None:
    """The client is told to slow down, with the key to retry; the retry succeeds once `min_window` has passed."""
    world = memory_world(max_writes=5, max_causality_bytes=FULL)
    accepted, refusal = filled(world, EAST)
    assert refusal.retryable
    assert refusal.idempotency_key == f"{EAST}-{accepted}"
    assert f"more than max_causality_bytes {FULL}" in str(refusal)
    assert "slow down and retry" in str(refusal)
    world.pass_ms(10 * MINUTE)
    assert world.write(EAST, "x", f"{EAST}-{accepted}") == "applied"
    assert world.assert_nothing_lost().in_table == accepted + 1


@pytest.mark.parametrize("owned", [False, True])
def test_a_repair_is_not_bound_by_what_binds_the_writer(owned: bool) -> None:  # noqa: FBT001
    """Two ledgers, each nearly full, are joined into one beyond the bound: nothing is dropped to make room."""
    world = memory_world(max_causality_bytes=FULL)
    accepted = sum(filled(world, region, owned=owned)[0] for region in (EAST, WEST))
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged == accepted
    (image,) = world.east.items()
    assert value_bytes(image["Causality"]) > FULL
    with pytest.raises(CausalityFullError):
        world.write(WEST, "x", "one-more")
