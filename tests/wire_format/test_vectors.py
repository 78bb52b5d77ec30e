"""The vectors are what the code does, and they do what the page says."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import pytest

from reconciler.codec import decode, encode
from reconciler.policy_file import loads
from reconciler.wire import canonical_image, canonical_text
from tests.wire_format.histories import POLICY, joined
from tests.wire_format.make_vectors import FILE, text

VECTORS: Any = json.loads(FILE.read_text(encoding="utf-8"))
WRITES, JOINS, ADOPTIONS = ({each["name"]: each for each in VECTORS[kind]} for kind in ("writes", "joins", "adoptions"))
IMAGES = [
    *(pytest.param(each["item"], id=name) for name, each in WRITES.items()),
    *(pytest.param(each["joined"], id=name) for name, each in JOINS.items()),
    *(pytest.param(each["adopted"], id=name) for name, each in ADOPTIONS.items()),
]


def test_the_file_is_what_the_code_does() -> None:
    """To the letter; `python -m tests.wire_format.make_vectors` writes it anew."""
    assert FILE.read_text(encoding="utf-8") == text()


def test_the_policy_is_the_one_that_was_used() -> None:
    """Whoever reads the file has all that the vectors depend on."""
    assert loads(VECTORS["policy"]) == POLICY


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_reads_and_writes_to_the_same_bytes(image: Any) -> None:
    """Lossless, and canonical already."""
    assert encode(decode(image, POLICY), POLICY) == image == canonical_image(image)


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_keeps_the_rules_of_its_bookkeeping(image: Any) -> None:
    """Version counts executions, deltas belong to named writes, and a tombstone expires."""
    causality = image["Causality"]["M"]
    writes = executions_of(image)
    count = int(causality["Folded"]["M"]["Count"]["N"]) if "Folded" in causality else 0
    assert int(image["Version"]["N"]) == count + sum(map(len, writes.values()))
    assert int(image["Timestamp"]["N"]) == int(causality["Stamp"]["N"]) // 10**12
    for deltas in causality.get("Deltas", {"M": {}})["M"].values():
        assert deltas["M"].keys() <= writes.keys()
    newest = max([causality.get("Horizon", {"N": "0"})["N"], *(each for stamps in writes.values() for each in stamps)])
    dead = "Deleted" in causality and int(newest) <= int(causality["Deleted"]["N"])
    assert ("ExpiresAt" in image) == dead


@pytest.mark.parametrize("vector", WRITES.values(), ids=WRITES)
def test_a_stamp_ends_with_what_its_execution_had_seen(vector: Mapping[str, Any]) -> None:
    """The tail of each new execution, worked out from the item that was found."""
    plain = ADOPTIONS["a plain item"]
    found = plain["adopted"] if vector["found"] == plain["plain"] else vector["found"]
    seen = 0 if found is None else mark_of(found["Causality"]["M"])
    old, new = ({} if image is None else executions_of(image) for image in (found, vector["item"]))
    for name, stamps in new.items():
        for stamp in set(stamps) - set(old.get(name, ())):
            assert int(stamp) % 10**6 == (number_of(name) + seen) % 10**6


def executions_of(image: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the stamps of each write that an image names."""
    return {name: stamps["NS"] for name, stamps in image["Causality"]["M"]["Writes"]["M"].items()}


def number_of(name: str) -> int:
    """Return a write id as a number."""
    return int.from_bytes(urlsafe_b64decode(name))


def mark_of(causality: Mapping[str, Any]) -> int:
    """Return the mark of an item, as the page says."""
    folded = int(causality["Folded"]["M"]["Sum"]["N"]) if "Folded" in causality else 0
    writes = causality["Writes"]["M"].items()
    return (folded + sum(number_of(name) + int(stamp) for name, stamps in writes for stamp in stamps["NS"])) % 2**96


@pytest.mark.parametrize("vector", JOINS.values(), ids=JOINS)
def test_a_join_is_the_same_from_both_sides_and_again(vector: Mapping[str, Any]) -> None:
    """Commutative and idempotent: whoever repairs, and however often, writes the same bytes."""
    left, right, both = vector["left"], vector["right"], vector["joined"]
    assert joined(right, left)["joined"] == both
    assert joined(left, both)["joined"] == joined(both, right)["joined"] == both


@pytest.mark.parametrize("vector", WRITES.values(), ids=WRITES)
def test_a_token_is_made_as_the_page_says(vector: Mapping[str, Any]) -> None:
    """The hash of a text that any language can put together."""
    causality = vector["item"]["Causality"]["M"]
    whole = causality.get("Folded", {"M": {"Count": {"N": "0"}, "Sum": {"N": "0"}}})["M"]
    life, horizon = (causality.get(name, {"N": "0"})["N"] for name in ("Deleted", "Horizon"))
    writes = sorted((name, sorted(stamps["NS"])) for name, stamps in causality["Writes"]["M"].items())
    entries = ", ".join(f"('{name}', {', '.join(stamps)})" for name, stamps in writes)
    content = f"({life}, ({horizon}, {whole['Count']['N']}, {whole['Sum']['N']}), [{entries}])"
    digest = blake2b(content.encode(), digest_size=12).digest()
    assert urlsafe_b64encode(digest).decode() == vector["token"]


@pytest.mark.parametrize("status", ["duplicate", "version_conflict"])
def test_what_is_refused_writes_nothing(status: str) -> None:
    """The item is the one that was found."""
    refused = [vector for vector in WRITES.values() if vector["status"] == status]
    assert refused
    assert all(vector["item"] == vector["found"] for vector in refused)


def test_the_vectors_hold_every_member_and_every_status() -> None:
    """What the page describes is there to be tried."""
    members = {name for vector in WRITES.values() for name in vector["item"]["Causality"]["M"]}
    assert members == {"Stamp", "Writes", "Stamps", "Deltas", "Dots", "Horizon", "Folded", "Deleted"}
    assert {vector["status"] for vector in WRITES.values()} == {
        "applied",
        "superseded",
        "duplicate",
        "version_conflict",
    }
    assert {vector["diverged"] for vector in JOINS.values()} == {True, False}


def test_a_folded_write_adds_id_and_stamp_to_the_sum() -> None:
    """By hand: the three oldest executions leave the ledger, and `Folded` counts them."""
    vector = WRITES["the sixth write folds three"]
    before, now = (vector[name]["Causality"]["M"] for name in ("found", "item"))
    oldest = sorted((stamps["NS"][0], name) for name, stamps in before["Writes"]["M"].items())[:3]
    total = sum(int(stamp) + number_of(name) for stamp, name in oldest)
    assert now["Horizon"] == {"N": oldest[-1][0]}
    assert now["Folded"] == {"M": {"Count": {"N": "3"}, "Sum": {"N": str(total % 2**96)}}}


def test_canonical_texts_are_equal_for_equal_values() -> None:
    """A canonical text, read again, is its own canonical text."""
    for vector in VECTORS["canonical"]:
        assert canonical_text(json.loads(vector["text"])) == vector["text"]
