"""Stamps are one total order over every execution in every Region."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import ItemError
from reconciler.stamps import (
    EARLIEST,
    MAX_MS,
    MIN_MS,
    NEVER,
    Stamp,
    WriteId,
    client_stamp,
    id_number,
    ms_of,
    next_stamp,
    parse_stamp,
    region_code_of,
    tail_of,
    write_id,
)

IDS = st.text(min_size=1).map(write_id)
TIMES = st.integers(MIN_MS, MAX_MS - 10**9)
CODES = st.integers(1, 99)


@given(TIMES, CODES, IDS)
def test_a_stamp_shows_its_parts(now_ms, code, identity):
    """A person reads milliseconds, counter, Region code and tail off the digits."""
    stamp = next_stamp(now_ms, NEVER, code, identity)
    assert str(stamp) == f"{now_ms}0000{code:02d}{id_number(identity) % 10**6:06d}"
    assert (ms_of(stamp), region_code_of(stamp), tail_of(stamp)) == (now_ms, code, id_number(identity) % 10**6)


@given(TIMES, st.builds(next_stamp, TIMES, st.just(NEVER), CODES, IDS), CODES, IDS)
def test_the_next_stamp_is_above_every_one_seen(now_ms, seen, code, identity):
    """A Region whose clock is behind still writes after what it has seen, in any Region code and with any tail."""
    assert next_stamp(now_ms, seen, code, identity) > seen
    assert ms_of(next_stamp(now_ms, seen, code, identity)) >= now_ms


LAST = Stamp(int("9999999999999" + "9999" + "01" + "000000"))


@given(st.integers(int(EARLIEST), int(LAST)), st.integers(MIN_MS, MAX_MS), CODES, IDS)
def test_a_stamp_never_has_a_26th_digit(seen, now_ms, code, identity):
    """Stamps are compared as text: a longer one would stand below all others."""
    try:
        assert len(str(next_stamp(now_ms, Stamp(seen), code, identity))) == 25
    except ItemError:
        assert seen // 10**8 == int(LAST) // 10**8


@pytest.mark.parametrize(("now_ms", "newest"), [(MIN_MS, LAST), (MAX_MS + 1, NEVER)])
def test_at_the_end_of_time_no_stamp_follows(now_ms, newest):
    """An item whose newest stamp is the last one, or a clock beyond it, is refused in words that say so."""
    with pytest.raises(ItemError, match=r"^Causality: .* 2286"):
        next_stamp(now_ms, newest, 1, write_id("k"))


def test_the_last_tick_is_still_given():
    """One stamp before the end there is room for one more."""
    assert next_stamp(MIN_MS, Stamp(LAST - 10**8), 1, write_id("k")) // 10**8 == LAST // 10**8


def test_the_counter_carries_into_the_milliseconds():
    """After 9999 executions in one millisecond, order goes on in the next."""
    full = Stamp(int("1700000000000" + "9999" + "01" + "000000"))
    assert str(next_stamp(1_700_000_000_000, full, 2, write_id("k"))).startswith("1700000000001" + "0000" + "02")


def test_a_region_that_forgot_its_write_does_not_tie():
    """The same millisecond and counter, issued again in one Region, still differ by the write's tail."""
    first, second = (next_stamp(1_700_000_000_000, NEVER, 1, write_id(key)) for key in ("k1", "k2"))
    assert first != second
    assert first // 10**6 == second // 10**6


def test_a_clients_time_has_no_region():
    """Counter 0000 and Region code 00: the same request has the same value stamp wherever it is executed."""
    identity = write_id("k")
    assert (
        str(client_stamp(1_700_000_000_123, identity))
        == "17000000001230000" + "00" + f"{id_number(identity) % 10**6:06d}"
    )
    assert region_code_of(client_stamp(1_700_000_000_123, identity)) == 0


@given(st.integers(int(EARLIEST), 10**25 - 1))
def test_a_stamps_text_reads_back(number):
    """Twenty-five digits in, the same stamp out; texts of one length compare as the numbers do."""
    assert parse_stamp(str(number)) == number


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "1" * 24,
        "1" * 26,
        "0" + "1" * 24,
        "-" + "1" * 24,
        "1" * 24 + " ",
        "1.7E+24" + " " * 18,
        "٣" * 25,
        "²" * 25,
    ],
)
def test_what_is_not_25_plain_digits_is_no_stamp(text):
    """No exponent, sign, leading zero, space or foreign digit is taken for a stamp."""
    with pytest.raises(ValueError, match=re.escape(text)):
        parse_stamp(text)


@given(st.text())
def test_a_write_id_is_16_characters_of_96_bits(key):
    """Any key, whatever its characters, becomes one id that names it and reads as one number."""
    identity = write_id(key)
    assert len(identity) == 16
    assert 0 <= id_number(identity) < 2**96
    assert identity == write_id(key)


def test_a_key_that_no_encoding_holds_still_has_an_id():
    """Half a surrogate pair, as JSON can deliver it, is no reason to fail."""
    assert id_number(write_id("\ud800")) != id_number(write_id("\ud801"))


@pytest.mark.parametrize(
    "text",
    ["A" * 15, "A" * 17, "A" * 14 + "==", "A" * 12 + "!!!!", "+" * 16, "/" * 16, "é" * 16, "A" * 16 + "\n"],
)
def test_a_text_that_is_no_write_id_is_refused(text):
    """Padding, other alphabets and ignored characters would make two ids of one number."""
    with pytest.raises(ValueError, match=re.escape(text)):
        id_number(WriteId(text))
