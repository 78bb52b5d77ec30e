"""Poison messages: nothing is cut short, nothing is lost, and the same trouble has the same id."""

import json
import random
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.poison import COMPRESS_ABOVE, ENCODING, MARGIN_BYTES, MAX_BYTES, PoisonMessage, bodies, parse
from reconciler.wire import Image
from tests.adapters.strategies import images, texts

KEY: Image = {"Id": {"S": "a"}}
LARGEST = 400 << 10


def message(old: Any = None, new: Any = None, **others: Any) -> PoisonMessage:
    """Return a message about these images."""
    return replace(PoisonMessage("malformed", "why", "eu-west-1", "T", KEY, "17", old, new), **others)


messages = st.builds(
    PoisonMessage,
    reason=texts,
    detail=texts,
    region=texts,
    table=texts,
    key=images,
    sequence_number=texts,
    old_image=st.none() | images,
    new_image=st.none() | images,
    record=st.none() | images,
    at_ms=st.none() | st.integers(0, 2**53),
)


def noise(size: int) -> str:
    """Return base64 text of that many random bytes."""
    return b64encode(random.Random(size).randbytes(size)).decode()  # noqa: S311 - a test's data


def noisy_text(alphabet: range, size: int) -> str:
    """Return random text of that many bytes in UTF-8."""
    width = len(chr(alphabet[-1]).encode())
    source = random.Random(alphabet[0])  # noqa: S311 - a test's data
    return "".join(map(chr, source.choices(alphabet, k=size // width)))


# Round trip


@given(messages, st.sampled_from([MAX_BYTES, 8 << 10]))
def test_what_is_sent_is_what_is_read(sent: PoisonMessage, max_bytes: int) -> None:
    """Bodies are written and parsed without loss, whatever the queue's limit."""
    assert parse(bodies(sent, max_bytes)) == sent


@pytest.mark.parametrize("max_bytes", [MAX_BYTES, 64 << 10])
def test_a_broken_record_travels_whole(max_bytes: int) -> None:
    """Where the images cannot be read, the record is kept as it came, in as many parts as it needs."""
    sent = message(record={"dynamodb": {"NewImage": ["what", None, 1.5, "\ud800"], "OldImage": noise(LARGEST)}})
    parts = bodies(sent, max_bytes)
    assert parse(parts) == sent
    assert all(len(part) <= max_bytes - MARGIN_BYTES for part in parts)


def test_the_order_of_parts_does_not_matter() -> None:
    """A queue may deliver in any order, and twice."""
    sent = message({"Data": {"B": noise(90_000)}}, {"Data": {"B": noise(90_001)}})
    parts = bodies(sent, 100 << 10)
    assert len(parts) > 2
    assert all(parse(order) == sent for order in permutations(parts))
    assert parse([*parts, parts[0]]) == sent


# Limits


def test_a_small_message_is_readable_as_it_is() -> None:
    """Nothing is compressed that need not be: a person can read the body."""
    (body,) = bodies(message({"Data": {"S": "x"}}, None))
    assert json.loads(body) == {
        "schema": "global-table-reconciler/poison/1",
        "id": message({"Data": {"S": "x"}}, None).id,
        "part": "1/1",
        "mode": "approximate",
        "reason": "malformed",
        "detail": "why",
        "region": "eu-west-1",
        "table": "T",
        "key": KEY,
        "sequence_number": "17",
        "old_image": {"Data": {"S": "x"}},
    }


def test_a_message_says_whether_ledgers_stand_behind_it() -> None:
    """Exact where every image has one, and the write that is told of gave it; approximate else."""
    causal: Image = {"Causality": {"M": {}}}
    told = [message(causal, causal), message(causal, None), message(causal, {}), message(None, None)]
    assert [each.mode.value for each in told] == ["exact", "exact", "approximate", "approximate"]
    assert replace(told[0], reason="foreign_write").mode.value == "approximate"


def test_a_body_is_ascii() -> None:
    """SQS refuses some characters that an image may hold; escaped, none is left."""
    sent = message({"Data": {"S": "\x00\x1b\uffff\ud800\U0001f600"}})
    (body,) = bodies(sent)
    assert body.isascii()
    assert body.isprintable()
    assert parse([body]) == sent


def test_a_large_message_is_compressed_into_one_body() -> None:
    """What compresses well stays one message, and says how it is encoded."""
    (body,) = bodies(message({"Data": {"S": "x" * LARGEST}}, {"Data": {"S": "y" * LARGEST}}))
    assert json.loads(body)["encoding"] == ENCODING
    assert len(body) < COMPRESS_ABOVE


WORST: dict[str, Callable[[], Image]] = {
    "binary": lambda: {"Data": {"B": noise(LARGEST)}},
    "control characters": lambda: {"Data": {"S": noisy_text(range(32), LARGEST)}},
    "ASCII": lambda: {"Data": {"S": noisy_text(range(128), LARGEST)}},
    "quotes and backslashes": lambda: {"Data": {"S": '"\\' * (LARGEST // 2)}},
    "two-byte letters": lambda: {"Data": {"S": noisy_text(range(0x80, 0x800), LARGEST)}},
    "three-byte letters": lambda: {"Data": {"S": noisy_text(range(0x800, 0xD800), LARGEST)}},
    "four-byte letters": lambda: {"Data": {"S": noisy_text(range(0x10000, 0x110000), LARGEST)}},
    "short numbers": lambda: {"Data": {"L": [{"N": str(number % 10)} for number in range(LARGEST // 3)]}},
    "small binaries": lambda: {"Data": {"BS": [noise(2) for _ in range(LARGEST // 2)]}},
}


@pytest.mark.parametrize("worst", WORST)
def test_two_images_of_400_kb_always_fit(worst: str) -> None:
    """However badly an image compresses or escapes, two bodies within the queue's limit carry both."""
    image = WORST[worst]()
    sent = message(image, {**image, "Other": {"S": "x"}})
    parts = bodies(sent)
    assert [json.loads(part)["part"] for part in parts] in (["1/1"], ["1/2", "2/2"])
    assert all(part.isascii() and len(part) + 1024 < MAX_BYTES for part in parts)
    assert parse(parts) == sent


def test_of_two_parts_the_first_has_the_old_image() -> None:
    """Each part can be read without the other."""
    first, second = (
        json.loads(part) for part in bodies(message({"D": {"B": noise(LARGEST)}}, {"D": {"B": noise(LARGEST)}}))
    )
    assert (first["part"], "old_image" in first, "new_image" in first) == ("1/2", True, False)
    assert (second["part"], "old_image" in second, "new_image" in second) == ("2/2", False, True)
    assert first["id"] == second["id"]


def test_a_head_beyond_the_limit_is_still_whole() -> None:
    """What only the queue can refuse is offered to it, not dropped."""
    sent = message(detail="x" * MAX_BYTES)
    assert parse(bodies(sent)) == sent
    with_image = replace(sent, new_image={"Data": {"S": "x"}})
    assert parse(bodies(with_image)) == with_image


@given(messages)
def test_the_same_message_has_the_same_bytes(sent: PoisonMessage) -> None:
    """The order in which attributes happen to stand does not show."""
    shuffled = replace(sent, key=dict(reversed(list(sent.key.items()))))
    assert bodies(shuffled) == bodies(sent)


# Identity


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ({"N": {"N": "1"}}, {"N": {"N": "1.0"}}),
        ({"S": {"SS": ["a", "b"]}}, {"S": {"SS": ["b", "a"]}}),
        ({"M": {"M": {"a": {"N": "1E1"}, "b": {"S": ""}}}}, {"M": {"M": {"b": {"S": ""}, "a": {"N": "10"}}}}),
        ({"M": {"M": {}}}, {"M": {}}),
        ({"X": {"Q": "?"}, "Y": {"S": ""}}, {"Y": {"S": ""}, "X": {"Q": "?"}}),
    ],
    ids=["number", "set", "map", "empty map", "unreadable"],
)
def test_the_same_images_have_the_same_id(one: Image, another: Image) -> None:
    """Spelling and order mean nothing where an image can be read, order never."""
    assert message(one, None).id == message(another, None).id
    assert message(None, one).id == message(None, another).id
    assert message(key=one).id == message(key=another).id


@pytest.mark.parametrize(
    "other",
    [
        {"reason": "too_large"},
        {"key": {"Id": {"S": "b"}}},
        {"old_image": None},
        {"old_image": {"X": {"S": "2"}}},
        {"new_image": {"X": {"S": "1"}}},
        {"record": {}},
    ],
    ids=str,
)
def test_other_trouble_has_another_id(other: dict[str, Any]) -> None:
    """Key, reason, images and record all count."""
    assert message({"X": {"S": "1"}}, None, **other).id != message({"X": {"S": "1"}}, None).id


@pytest.mark.parametrize(
    "same",
    [{"detail": "worded otherwise"}, {"sequence_number": "18"}, {"region": "us-east-1"}, {"table": "U"}, {"at_ms": 7}],
    ids=str,
)
def test_what_tells_of_the_delivery_is_not_in_the_id(same: dict[str, Any]) -> None:
    """A record delivered again is recognised."""
    assert message({}, {}, **same).id == message({}, {}).id


@pytest.mark.parametrize(
    "image", [["list"], "text", {"a": "\ud800"}, {"N": {"N": "x"}}, {"M": {"M": {"a": 1}}}], ids=repr
)
def test_an_image_that_cannot_be_read_has_an_id_too(image: Any) -> None:
    """A malformed image is what poison is about."""
    assert message(image).id == message(image).id != message().id
    assert parse(bodies(message(image))) == message(image)


# What cannot be read


def edited(body: str, **changes: Any) -> str:
    """Return the body with other members; None takes one out."""
    document = {**json.loads(body), **changes}
    return json.dumps({name: value for name, value in document.items() if value is not None})


SMALL = bodies(message({"X": {"S": "1"}}))
PARTS = bodies(message({"X": {"B": noise(9_000)}}, {"X": {"B": noise(9_001)}}), 20 << 10)
WHOLE = bodies(message({"X": {"S": "1" * COMPRESS_ABOVE}}))


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ([], r"^id: "),
        (["{"], r"^body: is not JSON"),
        (["[]"], r"^body: is not a JSON object"),
        (["{}"], r"^schema: is None"),
        ([edited(SMALL[0], schema="other/1")], r"^schema: is 'other/1'"),
        ([edited(WHOLE[0], encoding="gzip")], r"^encoding: is 'gzip'"),
        ([edited(SMALL[0], detail=None)], r"^detail: is missing"),
        ([edited(SMALL[0], at_ms="7")], r"^at_ms: is no whole number"),
        ([edited(SMALL[0], id="0")], r"^id: is not that of the content"),
        ([edited(SMALL[0], id=None)], r"^id: is not that of the content"),
        ([edited(SMALL[0], old_image=None)], r"^id: is not that of the content"),
        ([edited(SMALL[0], part=None)], r"^part: "),
        ([SMALL[0], PARTS[0]], r"^id: all parts of exactly one message"),
        (PARTS[:1], r"^part: \['1/2'\] came"),
        (PARTS[1:], r"^part: \['2/2'\] came"),
        ([PARTS[0], edited(PARTS[1], part="3/3")], r"^part: "),
        ([edited(WHOLE[0], old_image="?")], r"^old_image: its compression is damaged"),
        ([edited(WHOLE[0], old_image="AAAA")], r"^old_image: its compression is damaged"),
        ([edited(WHOLE[0], old_image=7)], r"^old_image: its compression is damaged"),
        (
            [PARTS[0], edited(PARTS[1], new_image=json.loads(PARTS[1])["new_image"][:-8])],
            r"^new_image: its compression",
        ),
    ],
)
def test_a_damaged_message_is_refused_by_the_name_of_its_field(parts: list[str], problem: str) -> None:
    """Whoever redrives the queue learns what is wrong with which field."""
    with pytest.raises(ValueError, match=problem):
        parse(parts)
