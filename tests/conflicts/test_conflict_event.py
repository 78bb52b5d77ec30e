"""A conflict as a TMF688 event: valid, recognised when it comes again, and silent about values."""

import json
from dataclasses import replace
from typing import Any

import pytest

from reconciler.conflict import MAX_NAMES, Conflict, Kind, Mode
from reconciler.conflict_event import BASE_PATH, event_of, iso_time
from tests.conflicts.conflicts import CONFLICT, KEY, LOST, MERGED, NOW, SECRET, WON
from tests.conflicts.schema import problems

GONE = replace(CONFLICT, kind=Kind.HARD_DELETE, winner=None, merged=None)
EVENT: Any = event_of(CONFLICT, repaired=True, now_ms=NOW)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("repaired", [True, False])
@pytest.mark.parametrize("with_values", [True, False])
@pytest.mark.parametrize("told", [CONFLICT, GONE, replace(CONFLICT, at_ms=None)])
def test_every_conflict_is_a_valid_event(
    told: Conflict,
    kind: Kind,
    mode: Mode,
    repaired: bool,  # noqa: FBT001 - one column of a table
    with_values: bool,  # noqa: FBT001 - as above
) -> None:
    """Whatever was lost and how, the event fits the schema, and JSON holds it."""
    event = event_of(replace(told, kind=kind, mode=mode), repaired=repaired, now_ms=NOW, with_values=with_values)
    assert list(problems(json.loads(json.dumps(event)))) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"timeOccurred": "2023-11-14T22:13:20Z"}, "$: additionalProperties"),
        ({"eventTime": "yesterday"}, "$.eventTime: format"),
        ({"timeOcurred": "2023-11-14T22:13:20"}, "$.timeOcurred: format"),
        ({"eventId": ""}, "$.eventId: minLength"),
        ({"priority": 1}, "$.priority: type"),
        ({"source": {}}, "$.source: required"),
        ({"analyticCharacteristic": [{"name": "mode"}]}, "$.analyticCharacteristic[0]: required"),
        ({"@schemaLocation": "/tmf-api/event/v3/x"}, "$['@schemaLocation']: pattern"),
    ],
)
def test_the_schema_has_teeth(change: dict[str, Any], problem: str) -> None:
    """An event that is wrong in one place is told by that place."""
    assert list(problems({**EVENT, **change})) == [problem]


def test_an_event_says_what_happened() -> None:
    """When, where, to which item and attributes, which writes, and whether ledgers prove it."""
    assert (EVENT["eventTime"], EVENT["timeOcurred"]) == ("2023-11-14T22:13:21.000Z", "2023-11-14T22:13:20.123Z")
    assert (EVENT["eventType"], EVENT["@type"], EVENT["@baseType"]) == (
        "ConflictRepairedEvent",
        "GlobalTableConflictEvent",
        "Event",
    )
    assert EVENT["@schemaLocation"].startswith(BASE_PATH)
    assert (EVENT["source"], EVENT["reportingSystem"]) == (
        {"id": "us-east-1/GlobalEventTable"},
        {"id": "global-table-reconciler"},
    )
    assert EVENT["event"]["conflict"] == {
        "id": CONFLICT.id,
        "kind": "overwritten",
        "mode": "exact",
        "repaired": True,
        "region": "us-east-1",
        "table": "GlobalEventTable",
        "keyDigest": CONFLICT.key_digest,
        "sequenceNumber": "7",
        "lostWrites": ["write-of-us-east"],
        "overwrittenAttributes": ["Data", "Note"],
        "lostAttributes": ["Data"],
    }
    assert {"name": "mode", "value": "exact"} in EVENT["analyticCharacteristic"]
    assert {"name": "lostAttributes", "value": "1"} in EVENT["analyticCharacteristic"]


def test_an_approximate_conflict_says_so() -> None:
    """In what a rule filters by, in the content, and in words."""
    event = event_of(replace(CONFLICT, mode=Mode.APPROXIMATE), repaired=True, now_ms=NOW)
    assert {"name": "mode", "value": "approximate"} in event["analyticCharacteristic"]
    assert event["event"]["conflict"]["mode"] == "approximate"
    assert event["description"].endswith("This is approximate.")


def test_a_conflict_that_comes_again_is_the_same_event() -> None:
    """Told later, it has the same id; and the conflict's own id ties it to other Regions' events."""
    again = event_of(replace(CONFLICT, region="eu-west-1"), repaired=False, now_ms=NOW + 60_000)
    assert (again["eventId"], again["correlationId"]) == (EVENT["eventId"], EVENT["correlationId"])
    assert again["correlationId"] == CONFLICT.id != again["eventId"]


def test_no_value_leaves_unless_it_is_asked_for() -> None:
    """Names, write ids and a digest of the key suffice; with values, both sides and what they became are there."""
    assert SECRET not in json.dumps(EVENT)
    told = event_of(CONFLICT, repaired=True, now_ms=NOW, with_values=True)["event"]["conflict"]
    assert (told["key"], told["loser"], told["winner"], told["merged"]) == (KEY, LOST, WON, MERGED)
    gone = event_of(GONE, repaired=False, now_ms=NOW, with_values=True)["event"]["conflict"]
    assert (gone["loser"], "winner" in gone, "merged" in gone) == (LOST, False, False)


def test_an_event_names_no_more_than_it_may() -> None:
    """Of many attributes the first are named, and how many more there are is said."""
    names = tuple(f"{number:03}" for number in range(MAX_NAMES + 3))
    told = event_of(replace(CONFLICT, lost=names), repaired=True, now_ms=NOW)["event"]["conflict"]
    assert (len(told["lostAttributes"]), told["lostAttributesMore"]) == (MAX_NAMES, 3)


@pytest.mark.parametrize(
    ("repaired", "lost", "priority"),
    [(True, (), "Low"), (True, ("Data",), "Normal"), (False, ("Data",), "High"), (False, (), "High")],
)
def test_what_stays_lost_comes_first(repaired: bool, lost: tuple[str, ...], priority: str) -> None:  # noqa: FBT001
    """A person's attention goes to what no repair brought back."""
    assert event_of(replace(CONFLICT, lost=lost), repaired=repaired, now_ms=NOW)["priority"] == priority


def test_an_event_is_told_in_words() -> None:
    """A reader of a bus who knows no kinds reads what became of it."""
    assert EVENT["title"] == "overwritten: repaired"
    assert EVENT["description"] == (
        "A version of an item in GlobalEventTable was lost in us-east-1 (overwritten): it was joined back into the "
        "item; 1 of its attributes is no longer as it had them. This is exact."
    )
    recorded = event_of(GONE, repaired=False, now_ms=NOW)
    assert (recorded["title"], recorded["eventType"]) == ("hard delete: recorded", "ConflictRecordedEvent")
    assert "it stays lost, by policy; 1 of its" in recorded["description"]


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000_007, "2023-11-14T22:13:20.007Z"),
        (10**13 - 1, "2286-11-20T17:46:39.999Z"),
        (10**13, None),
        (-1, None),
        (None, None),
    ],
)
def test_a_time_is_rfc_3339_or_absent(ms: int | None, text: str | None) -> None:
    """A stream record's time that no calendar holds is left out."""
    assert iso_time(ms) == text
