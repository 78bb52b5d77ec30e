"""Makes docs/wire-format-vectors.json from the code: ``python -m tests.wire_format.make_vectors``."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.stamps import NEVER, Stamp, WriteId, client_stamp, id_number, next_stamp, tail_of, write_id
from reconciler.wire import canonical_text
from tests.wire_format.histories import EU, KEY, POLICY_TOML, START_MS, US, Vector, adopted, after, joined, write

FILE = Path(__file__).parents[2] / "docs" / "wire-format-vectors.json"
FORMAT = "global-table-reconciler/wire-format/1"

K1: Mapping[str, Any] = {
    "IdempotencyKey": "k1",
    "Set": {"Data": "x", "Limit": 3, "Status": "active", "Profile/Name": "Ana"},
    "Add": {"Balance": 5, "Profile/LoginCount": 1},
    "AddToSet": {"Tags": ["a", "b"], "Seen": [7]},
}
FIRST = after(None, (K1, US, 0))
PLAIN = {
    **KEY,
    "Balance": {"N": "40"},
    "Data": {"S": "old"},
    "Tags": {"SS": ["b", "a"]},
    "Version": {"N": "4"},
    "Timestamp": {"N": "1699999999000"},
    "LastUpdatedRegion": {"S": EU},
    "IdempotencyKey": {"S": "k0"},
}


def _writes() -> dict[str, Vector]:
    removed = after(FIRST, ({"IdempotencyKey": "k2", "Remove": ["Data"]}, US, 10))
    deleted = after(FIRST, ({"IdempotencyKey": "k2", "Delete": True}, US, 10))
    return {
        "a first write": write(None, K1),
        "one element added to a set": write(None, {"IdempotencyKey": "k1", "AddToSet": {"Tags": ["a"]}}),
        "one register set": write(None, {"IdempotencyKey": "k1", "Set": {"Data": "x"}}),
        "one counter added to": write(None, {"IdempotencyKey": "k1", "Add": {"Balance": -5}}),
        "a register set in another Region": write(FIRST, {"IdempotencyKey": "k2", "Set": {"Data": "y"}}, EU, 10),
        "a clock that is behind": write(FIRST, {"IdempotencyKey": "k2", "Set": {"Data": "y"}}, EU, -5000),
        "a client's time": write(
            FIRST, {"IdempotencyKey": "k2", "Timestamp": START_MS + 5, "Set": {"Data": "y"}}, US, 10
        ),
        "a client's time that is past": write(
            FIRST, {"IdempotencyKey": "k2", "Timestamp": START_MS - 5, "Set": {"Data": "y"}}, US, 10
        ),
        "a register removed": write(FIRST, {"IdempotencyKey": "k2", "Remove": ["Data"]}, US, 10),
        "a removed register, later": write(removed, {"IdempotencyKey": "k3", "Add": {"Balance": 1}}, US, 20),
        "a counter that comes back to zero": write(FIRST, {"IdempotencyKey": "k2", "Add": {"Balance": -5}}, US, 10),
        "an element added again, one removed": write(
            FIRST, {"IdempotencyKey": "k2", "AddToSet": {"Tags": ["a"]}, "RemoveFromSet": {"Tags": ["b"]}}, EU, 10
        ),
        "names with a slash and a tilde": write(
            None, {"IdempotencyKey": "k1", "Set": {"Profile/a~1b~0c": 1, "x~y": 2}}
        ),
        "the same key again": write(FIRST, K1, EU, 10),
        "another version expected": write(
            FIRST, {"IdempotencyKey": "k2", "Set": {"Data": "y"}, "ExpectedVersion": 7}, US, 10
        ),
        "a delete": write(FIRST, {"IdempotencyKey": "k2", "Delete": True}, US, 10),
        "a delete of nothing": write(None, {"IdempotencyKey": "k1", "Delete": True}),
        "a write after a delete": write(deleted, {"IdempotencyKey": "k3", "Set": {"Data": "z"}}, US, 20),
        "the sixth write folds three": write(_many(5), {"IdempotencyKey": "k6", "Add": {"Balance": 1}}, US, 60_000),
        "a write on a plain item": write(PLAIN, {"IdempotencyKey": "k1", "Add": {"Balance": 2}}),
    }


def _many(number: int) -> Any:
    """Return the item after `number` writes, ten seconds apart."""
    adds = (
        ({"IdempotencyKey": f"k{n}", "Add": {"Balance": 1}, "Set": {"Data": str(n)}}, US, 10_000 * (n - 1))
        for n in range(1, number + 1)
    )
    return after(None, *adds)


def _joins() -> dict[str, Vector]:
    def both(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Vector:
        left = after(FIRST, ({"IdempotencyKey": "k2", **ours}, US, 10))
        return joined(left, after(FIRST, ({"IdempotencyKey": "k3", **theirs}, EU, 12)))

    last = {"IdempotencyKey": "k6", "Add": {"Balance": 1}}
    other = {"IdempotencyKey": "k7", "Add": {"Balance": 1}}
    return {
        "an item and its successor": joined(
            FIRST, after(FIRST, ({"IdempotencyKey": "k2", "Add": {"Balance": 1}}, US, 9))
        ),
        "two registers": both({"Set": {"Data": "ours", "Note": "n"}}, {"Set": {"Data": "theirs"}}),
        "a register and its removal": both({"Set": {"Data": "ours"}}, {"Remove": ["Data"]}),
        "two additions to a counter": both({"Add": {"Balance": -2}}, {"Add": {"Balance": 7}}),
        "an element added again, and removed": both(
            {"AddToSet": {"Tags": ["a"]}}, {"RemoveFromSet": {"Tags": ["a", "b"]}}
        ),
        "values that need no stamps": both(
            {"Set": {"Limit": 9, "Status": "pending", "Floor": 1}, "AddToSet": {"Seen": [1]}},
            {"Set": {"Limit": 4, "Status": "closed", "Floor": 2}, "AddToSet": {"Seen": [2]}},
        ),
        "members of a map": both({"Set": {"Profile/Name": "Eva"}}, {"Add": {"Profile/LoginCount": 1}}),
        "one request in two Regions": joined(
            after(FIRST, ({"IdempotencyKey": "k2", "Add": {"Balance": 1}}, US, 10)),
            after(FIRST, ({"IdempotencyKey": "k2", "Add": {"Balance": 1}}, EU, 12)),
        ),
        "a delete and a write": both({"Delete": True}, {"Set": {"Data": "unseen"}, "Add": {"Balance": 1}}),
        "a folded item and its ancestor": joined(after(_many(5), (last, US, 60_000)), _many(4)),
        "a folded item and a write beside it": joined(
            after(_many(5), (last, US, 60_000)), after(_many(5), (other, EU, 60_000))
        ),
        "histories that parted before the horizon": joined(
            after(_many(5), (last, US, 60_000)), after(_many(1), (other, EU, 1_000))
        ),
        "a plain item and its successor": joined(
            PLAIN, after(PLAIN, ({"IdempotencyKey": "k1", "Add": {"Balance": 2}}, US, 0))
        ),
    }


def _adoptions() -> dict[str, Vector]:
    bare = {name: PLAIN[name] for name in ("Id", "Balance", "Data")}
    return {
        "a plain item": adopted(PLAIN),
        "a plain item without a key": adopted({name: PLAIN[name] for name in PLAIN if name != "IdempotencyKey"}),
        "a plain item without a time": adopted(bare),
    }


def _stamps() -> list[Vector]:
    first = next_stamp(START_MS, NEVER, 1, write_id("k1"))
    last_counter = Stamp(int(f"{START_MS}999901000000"))
    cases = [
        (START_MS, NEVER, 1, "k1", 0),
        (START_MS, NEVER, 2, "k1", 0),
        (START_MS, first, 2, "k2", id_number(write_id("k1")) + first),
        (START_MS - 5_000, first, 2, "k2", id_number(write_id("k1")) + first),
        (START_MS, last_counter, 1, "k2", 1),
    ]
    return [
        {
            "now_ms": now_ms,
            "newest": str(newest),
            "region_code": code,
            "idempotency_key": key,
            "mark": str(mark),
            "stamp": str(next_stamp(now_ms, newest, code, write_id(key), mark)),
        }
        for now_ms, newest, code, key, mark in cases
    ]


def _write_ids() -> list[Vector]:
    keys = ["", "k1", "k-17", "Bestellung Nr. 7 \u2013 \u00fc", "x" * 300]
    return [{"idempotency_key": key, "write_id": write_id(key), **_numbers(write_id(key))} for key in keys]


def _numbers(identity: WriteId) -> Vector:
    return {"number": str(id_number(identity)), "tail": f"{tail_of(client_stamp(START_MS, identity)):06d}"}


def _canonical() -> list[Vector]:
    values: list[Vector] = [
        {"N": "1.50"},
        {"N": "1E+3"},
        {"N": "-0"},
        {"N": "007"},
        {"NS": ["10", "9", "9.0"]},
        {"SS": ["b", "a", "\u00fc"]},
        {"BS": ["/w==", "AA=="]},
        {"M": {"b": {"NULL": True}, "a": {"L": [{"BOOL": False}, {"N": "2.0"}]}}},
        {},
    ]
    return [{"value": value, "text": canonical_text(value)} for value in values]


def make() -> Vector:
    """Return every vector."""
    return {
        "format": FORMAT,
        "policy": POLICY_TOML,
        "write_ids": _write_ids(),
        "stamps": _stamps(),
        "client_stamps": [
            {"timestamp_ms": START_MS, "idempotency_key": key, "stamp": str(client_stamp(START_MS, write_id(key)))}
            for key in ("k1", "k2")
        ],
        "canonical": _canonical(),
        "writes": [{"name": name, **vector} for name, vector in _writes().items()],
        "joins": [{"name": name, **vector} for name, vector in _joins().items()],
        "adoptions": [{"name": name, **vector} for name, vector in _adoptions().items()],
    }


def text() -> str:
    """Return the file's text: one vector a line, so that a change shows which."""
    members = []
    for name, content in make().items():
        shown = json.dumps(content, ensure_ascii=False)
        if isinstance(content, list):
            shown = "[\n  " + ",\n  ".join(json.dumps(vector, ensure_ascii=False) for vector in content) + "\n ]"
        members.append(f" {json.dumps(name)}: {shown}")
    return "{\n" + ",\n".join(members) + "\n}\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
