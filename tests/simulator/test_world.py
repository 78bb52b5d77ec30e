"""The simulated platform behaves as DynamoDB Global Tables and Lambda do."""

from tests.simulator.histories import operations, play, settled, shown


def test_the_last_writer_wins_in_both_regions():
    """B wrote later: A takes B's item, and B rejects A's."""
    world = play("A: x Data=a #1 | B: x Data=b #2 | A>B | B>A")
    assert shown(world, "A") == shown(world, "B") == {"Data": "b"}


def test_only_the_losing_region_has_a_record_of_the_loss():
    """A's stream shows a overwritten by b; B's stream shows nothing of a."""
    world = play("A: x Data=a #1 | B: x Data=b #2 | A>B | B>A")
    assert operations(world, "A") == ["INSERT", "MODIFY"]
    assert operations(world, "B") == ["INSERT"]


def test_platform_time_decides_and_no_clock():
    """A's clock is far ahead, yet B's later write replaces A's."""
    world = play("A: x Data=a #1 | B: x Data=b #2 | A>B | B>A", skew_ms={"A": 4_000})
    assert shown(world, "A") == {"Data": "b"}


def test_a_link_coalesces():
    """B never sees A's first version."""
    world = play("A: x Data=1 #1 | A: x Data=2 #2 | A>B")
    assert operations(world, "A") == ["INSERT", "MODIFY"]
    assert operations(world, "B") == ["INSERT"]


def test_items_travel_apart():
    """A transaction is not replicated as a unit."""
    world = play("A: x Data=1 & y Data=1 #1 | A>B y")
    assert shown(world, "B", "x") is None
    assert shown(world, "B", "y") == {"Data": 1}


def test_nothing_crosses_a_partition():
    """What was under way waits until the partition heals."""
    world = play("A: x Data=1 #1 | cut A B | A>B")
    assert shown(world, "B") is None
    world = play("A: x Data=1 #1 | cut A B | A>B | heal A B | A>B")
    assert shown(world, "B") == {"Data": 1}


def test_a_repair_travels_like_any_write():
    """A's worker joins what A forgot, and B gets it."""
    world = play("A: x Data=a Balance+1 #1 | B: x Data=b #2 | B>A | A works 2 | A>B")
    assert shown(world, "A") == shown(world, "B") == {"Data": "b", "Balance": 1}
    assert world.regions["A"].repairs == 1


def test_a_write_that_changes_nothing_makes_no_record():
    """Both Regions repair the same loss to the same bytes; delivering one to the other is no change."""
    world = settled("A: x Balance+1 #1 | B: x Balance+2 #2 | C: x Balance+4 #3 | C>A | C>B | A works 9 | B works 9", 3)
    assert shown(world, "C") == {"Balance": 7}
    images = {repr(record.old.image) for record in world.regions["C"].stream}
    assert len(images) == len(world.regions["C"].stream)


def test_a_crash_after_the_write_delivers_the_record_again():
    """The worker of A dies after its repair; redelivered, it finds nothing left to do."""
    world = play("A: x Data=a Balance+1 #1 | B: x Data=b #2 | B>A | A works 2 !after")
    assert world.regions["A"].deaths == 1
    assert world.regions["A"].position == 0
    world.settle()
    assert world.regions["A"].repairs == 1
    assert shown(world, "B") == {"Data": "b", "Balance": 1}


def test_a_crash_before_the_write_changes_nothing():
    """The worker of A dies before its repair, which comes later."""
    world = play("A: x Data=a Balance+1 #1 | B: x Data=b #2 | B>A | A works 2 !before")
    assert shown(world, "A") == {"Data": "b"}
    world.settle()
    assert shown(world, "A") == {"Data": "b", "Balance": 1}


def test_a_client_that_dies_after_its_write_is_not_answered():
    """Its retry is a duplicate."""
    world = play("A: x Balance+1 #1 !after | A: x Balance+1 #1")
    assert [answer.result and answer.result["status"] for answer in world.answers] == [None, "duplicate"]


def test_a_lost_answer_is_no_lost_race():
    """The repeated call fails its own condition; the writer finds its own write."""
    world = play("A: x Balance+1 #1 !echo")
    assert [answer.result and answer.result["status"] for answer in world.answers] == ["applied"]
    assert shown(world, "A") == {"Balance": 1}


def test_somebody_may_write_between_a_read_and_its_write():
    """The condition fails, and the writer starts from what it finds."""
    world = play("A: x Balance+1 #1 (A: x Balance+2 #2)")
    assert shown(world, "A") == {"Balance": 3}
    assert [answer.request.key for answer in world.answers] == ["2", "1"]


def test_a_refused_message_is_sent_when_its_record_comes_again():
    """The queue refuses once; nothing is dropped."""
    text = "A: x Owner=a #1 | B: x Owner=b #2 | B>A | A works 2 !refused"
    assert play(text).regions["A"].messages == []
    assert [message.reason for message in settled(text).regions["A"].messages] == ["manual"]


def test_ttl_removes_an_expired_tombstone_in_one_region():
    """The removal travels as a deletion; before its time nothing is swept."""
    assert "ExpiresAt" in (play("A: x delete #1 | A sweeps").get("A", "x").image or {})
    world = settled("A: x delete #1 | wait 2764800000 | A sweeps")
    assert shown(world, "A") is None
    assert shown(world, "B") is None


def test_a_write_past_the_writer_leaves_the_ledger_as_it_was():
    """The next reader sees it; the worker adopts it."""
    world = settled("A: x Data=a #1 | A: x Data='f | settle | A: x ~'Data")
    assert shown(world, "A") == {}
    assert world.get("A", "x").image == world.get("B", "x").image
