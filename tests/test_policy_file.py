"""Policy files: what loads, and the one sentence that each mistake is answered with."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.errors import PolicyFileError
from reconciler.policy import (
    DAY,
    HOUR,
    LATEST,
    MINUTE,
    AttributePolicy,
    Kind,
    OnDeleted,
    OnForeign,
    OnHardDelete,
    Policy,
    Recreate,
    Region,
)
from reconciler.policy_file import load, loads

MINIMAL = '[table]\nname = "T"\npartition_key = "Id"\nregions = ["r1", "r2"]\n'
NO_REGIONS = '[table]\nname = "T"\npartition_key = "Id"\n'
FULL = """
[table]
name = "GlobalEventTable"
partition_key = "Id"
sort_key = "At"
regions = ["us-east-1", "eu-west-1"]
window = "36h"
max_writes = 50
min_window = "2.5m"
max_causality_bytes = 1024
max_clock_skew = "250ms"
tombstone_ttl = "10d"
lost_to_delete = "escalate"
recreate = "refuse"
hard_delete = "restore"
foreign_writes = "report"

[attributes]
Data = "latest"
Balance = "counter"
Tags = "set"
Limit = "max"
Status = { policy = "rank", order = ["pending", "active", 7] }
Profile = { policy = "map", members = { LoginCount = "counter", Deep = { policy = "map", members = { X = "min" } } } }
Note = { policy = "custom", function = "my_merges:longest" }
"a/b" = { policy = "manual" }
"""

KINDS = "latest, max, min, union, set, counter, rank, map, custom, manual"
TABLE_KEYS = (
    "name, partition_key, sort_key, regions, window, max_writes, min_window, max_causality_bytes, max_clock_skew, "
    "tombstone_ttl, lost_to_delete, recreate, hard_delete, foreign_writes"
)
RESERVED = "reserved: Causality, ExpiresAt, IdempotencyKey, LastUpdatedRegion, Timestamp, Version and aws:rep:*"
ORDER = "a non-empty array of strings or integers, lowest first"
PATH = "reads as a path into the map"
POLICY = "a policy's name, or a table with its policy"
UNIT = 'a number and a unit (ms, s, m, h, d), such as "24h"'

WRONG_DOCUMENTS = [
    ("", "table: is missing; expected a table with name, partition_key and regions"),
    ("table = 5", "table: is an integer; expected a table with name, partition_key and regions"),
    ("[tabel]\nname = 1", "tabel: unknown key 'tabel'; did you mean 'table'?"),
    ("x = 1", "x: unknown key 'x'; expected one of table, attributes"),
    ("[table]", "table.name: is missing; expected a non-empty string"),
    ('[table]\nname = ""', "table.name: is an empty string; expected a non-empty string"),
    ('[table]\nname = "T"', "table.partition_key: is missing; expected a non-empty string"),
    (
        '[table]\nname = "T"\npartition_key = "Causality"\nregions = ["r1"]',
        f"table.partition_key: 'Causality' is {RESERVED}",
    ),
    (NO_REGIONS, "table.regions: is missing; expected a non-empty array of Region names"),
    (f"{NO_REGIONS}regions = []", "table.regions: is an empty array; expected a non-empty array of Region names"),
    (f'{NO_REGIONS}regions = "r1"', "table.regions: is a string; expected a non-empty array of Region names"),
    (f'{NO_REGIONS}regions = ["r1", 5]', "table.regions[1]: is an integer; expected a non-empty string"),
    (f'{NO_REGIONS}regions = ["r1", ""]', "table.regions[1]: is an empty string; expected a non-empty string"),
    (f'{NO_REGIONS}regions = ["r1", "r1"]', "table.regions[1]: stands there twice; expected every element once"),
    (f"{NO_REGIONS}regions = {[str(n) for n in range(100)]}", "table.regions: has 100 Regions; expected at most 99"),
    (f"attributes = 5\n{MINIMAL}", "attributes: is an integer; expected a table"),
    ("[table]\nname 5", "text: cannot be read: Expected '=' after a key in a key/value pair (at line 2, column 6)"),
    ('[table]\nname = "x', "text: cannot be read: Unterminated string (at line 2, column 10: the end of the document)"),
]

WRONG_TABLES = [
    ('windw = "1h"', "table.windw: unknown key 'windw'; did you mean 'window'?"),
    ("colour = 1", f"table.colour: unknown key 'colour'; expected one of {TABLE_KEYS}"),
    ('"a b" = 1', f"table.\"a b\": unknown key 'a b'; expected one of {TABLE_KEYS}"),
    ("window = 5", 'table.window: is an integer; expected a duration, such as "24h"'),
    ("window = 1.5", 'table.window: is a float; expected a duration, such as "24h"'),
    ("window = true", 'table.window: is a boolean; expected a duration, such as "24h"'),
    ("window = 1979-05-27", 'table.window: is a date or time; expected a duration, such as "24h"'),
    ('window = "24 h"', f"table.window: '24 h' is no duration; expected {UNIT}"),
    ('window = "24H"', f"table.window: '24H' is no duration; expected {UNIT}"),
    ('window = "-1h"', f"table.window: '-1h' is no duration; expected {UNIT}"),
    ('window = "٣h"', f"table.window: '٣h' is no duration; expected {UNIT}"),
    ('window = ""', f"table.window: '' is no duration; expected {UNIT}"),
    ('window = "0s"', "table.window: '0s' is not a whole number of milliseconds of at least 1"),
    ('min_window = "0.5ms"', "table.min_window: '0.5ms' is not a whole number of milliseconds of at least 1"),
    ('max_clock_skew = "1.5ms"', "table.max_clock_skew: '1.5ms' is not a whole number of milliseconds of at least 1"),
    ('window = "4m"', "table.window: is 4m; expected at least min_window, 5m"),
    ('min_window = "2d"', "table.window: is 24h; expected at least min_window, 48h"),
    (
        'tombstone_ttl = "24h"',
        "table.tombstone_ttl: is 24h; expected more than 24h of stream, TTL sweeping and the longest partition",
    ),
    ("max_writes = 0", "table.max_writes: is out of range; expected an integer of at least 1"),
    ("max_writes = true", "table.max_writes: is a boolean; expected an integer of at least 1"),
    ("max_writes = 10.0", "table.max_writes: is a float; expected an integer of at least 1"),
    (
        "max_causality_bytes = 1023",
        "table.max_causality_bytes: is out of range; expected an integer from 1024 to 409600",
    ),
    (
        "max_causality_bytes = 409601",
        "table.max_causality_bytes: is out of range; expected an integer from 1024 to 409600",
    ),
    ('lost_to_delete = "RECRD"', "table.lost_to_delete: unknown value 'RECRD'; did you mean 'record'?"),
    ('recreate = "forbid"', "table.recreate: unknown value 'forbid'; expected one of allow, refuse"),
    ("recreate = false", "table.recreate: is a boolean; expected one of allow, refuse"),
    ('hard_delete = "undo"', "table.hard_delete: unknown value 'undo'; expected one of accept, restore, escalate"),
    ('foreign_writes = "adapt"', "table.foreign_writes: unknown value 'adapt'; did you mean 'adopt'?"),
    ('sort_key = "Id"', "table.sort_key: is 'Id', as partition_key is; expected another name"),
    ('sort_key = ""', "table.sort_key: is an empty string; expected a non-empty string"),
    ('sort_key = "Version"', f"table.sort_key: 'Version' is {RESERVED}"),
    ('sort_key = "aws:rep:x"', f"table.sort_key: 'aws:rep:x' is {RESERVED}"),
]

WRONG_ATTRIBUTES = [
    ('Id = "latest"', "attributes.Id: is a key attribute, which has no policy"),
    ('At = "latest"', "attributes.At: is a key attribute, which has no policy"),
    ('ExpiresAt = "max"', f"attributes.ExpiresAt: 'ExpiresAt' is {RESERVED}"),
    ('"aws:rep:deleting" = "latest"', f"attributes.\"aws:rep:deleting\": 'aws:rep:deleting' is {RESERVED}"),
    ('"" = "latest"', 'attributes."": a name is never empty'),
    ('X = "latests"', "attributes.X: unknown policy 'latests'; did you mean 'latest'?"),
    ('X = "LATEST"', "attributes.X: unknown policy 'LATEST'; did you mean 'latest'?"),
    ('X = "lww"', f"attributes.X: unknown policy 'lww'; expected one of {KINDS}"),
    ("X = 5", f"attributes.X: is an integer; expected {POLICY}"),
    ('X = ["latest"]', f"attributes.X: is an array; expected {POLICY}"),
    ("X = {}", f"attributes.X.policy: is missing; expected one of {KINDS}"),
    ("X = { policy = {} }", f"attributes.X.policy: is a table; expected one of {KINDS}"),
    ('X = { policy = "cuonter" }', "attributes.X.policy: unknown policy 'cuonter'; did you mean 'counter'?"),
    ('X = { policy = "latest", order = [1] }', "attributes.X.order: belongs to policy 'rank'; this one is 'latest'"),
    (
        'X = { policy = "rank", order = [1], members = {} }',
        "attributes.X.members: belongs to policy 'map'; this one is 'rank'",
    ),
    (
        'X = { policy = "map", function = "math:gcd" }',
        "attributes.X.function: belongs to policy 'custom'; this one is 'map'",
    ),
    ('X = { policy = "rank", ordr = [1] }', "attributes.X.ordr: unknown key 'ordr'; did you mean 'order'?"),
    ('X = { policy = "max", note = 1 }', "attributes.X.note: unknown key 'note'; expected one of policy"),
    ('X = "rank"', f"attributes.X.order: is missing; expected {ORDER}"),
    ('X = { policy = "rank", order = [] }', f"attributes.X.order: is an empty array; expected {ORDER}"),
    ('X = { policy = "rank", order = "abc" }', f"attributes.X.order: is a string; expected {ORDER}"),
    (
        'X = { policy = "rank", order = ["a", true] }',
        "attributes.X.order[1]: is a boolean; expected a string or an integer",
    ),
    ('X = { policy = "rank", order = [1.5] }', "attributes.X.order[0]: is a float; expected a string or an integer"),
    (
        'X = { policy = "rank", order = [1, "1", 0x1] }',
        "attributes.X.order[2]: stands there twice; expected every element once",
    ),
    (
        f'X = {{ policy = "rank", order = [{"1" * 39}] }}',
        "attributes.X.order[0]: DynamoDB cannot hold it: more than 38 digits",
    ),
    (
        'X = { policy = "map", members = ["a"] }',
        "attributes.X.members: is an array; expected a table of the members' policies",
    ),
    (
        'X = { policy = "map", members = { Y = "latst" } }',
        "attributes.X.members.Y: unknown policy 'latst'; did you mean 'latest'?",
    ),
    (
        'X = { policy = "map", members = { Y = { policy = "latst" } } }',
        "attributes.X.members.Y.policy: unknown policy 'latst'; did you mean 'latest'?",
    ),
    (
        'X = { policy = "map", members = { "a\\"b" = { policy = "map", members = { "" = "max" } } } }',
        'attributes.X.members."a\\"b".members."": a name is never empty',
    ),
    (
        'X = "map"\n"X/a" = "max"',
        f"attributes.\"X/a\": {PATH} 'X'; expected its member under attributes.X.members",
    ),
    (
        '"a/b" = "map"\n"a~1b/c" = "max"',
        f'attributes."a~1b/c": {PATH} \'a/b\'; expected its member under attributes."a/b".members',
    ),
    ('X = "custom"', "attributes.X.function: is missing; expected a non-empty string"),
]

WRONG_FUNCTIONS = [
    ("longest", "'longest' names no function; expected \"package.module:function\""),
    (":longest", "':longest' names no function; expected \"package.module:function\""),
    ("my_merges:", "'my_merges:' names no function; expected \"package.module:function\""),
    ("no_such_module:f", "cannot import 'no_such_module': ModuleNotFoundError: No module named 'no_such_module'"),
    ("my_broken:f", "cannot import 'my_broken': ZeroDivisionError: division by zero"),
    ("my_exit:f", "cannot import 'my_exit': SystemExit: 3"),
    ("my_merges:shortest", "'shortest' does not exist in the module 'my_merges'"),
    ("my_merges:LIMIT", "'LIMIT' is not callable in the module 'my_merges'"),
]


@pytest.fixture
def merges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put a user's modules where Python finds them, and forget them afterwards."""
    (tmp_path / "my_merges.py").write_text(
        "LIMIT = 5\ndef longest(a, b):\n    return max((len(a), a), (len(b), b))[1]\n"
    )
    (tmp_path / "my_broken.py").write_text("1 / 0\n")
    (tmp_path / "my_exit.py").write_text("raise SystemExit(3)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("my_merges", None)


def mistake(read: Callable[[], Policy]) -> str:
    """Return what the one error says after the words that all have in common."""
    with pytest.raises(PolicyFileError) as caught:
        read()
    return str(caught.value).removeprefix("policy file: ")


@pytest.mark.parametrize(("document", "expected"), WRONG_DOCUMENTS)
def test_a_wrong_document_names_the_place(document: str, expected: str) -> None:
    """Syntax, the sections, and what every file must say."""
    assert mistake(lambda: loads(document)) == expected


@pytest.mark.parametrize(("line", "expected"), WRONG_TABLES)
def test_a_wrong_bound_names_the_place(line: str, expected: str) -> None:
    """One line too many, or a wrong one, in the section `table`."""
    assert mistake(lambda: loads(f"{MINIMAL}{line}\n")) == expected


@pytest.mark.parametrize(("lines", "expected"), WRONG_ATTRIBUTES)
def test_a_wrong_attribute_names_the_place(lines: str, expected: str) -> None:
    """A wrong policy, or a name that cannot have one, in the section `attributes`."""
    assert mistake(lambda: loads(f'{MINIMAL}sort_key = "At"\n[attributes]\n{lines}\n')) == expected


@pytest.mark.usefixtures("merges")
@pytest.mark.parametrize(("name", "expected"), WRONG_FUNCTIONS)
def test_a_function_that_cannot_be_had_names_the_place(name: str, expected: str) -> None:
    """A custom policy's function is imported at once: a wrong one is known before the first conflict."""
    text = f'{MINIMAL}[attributes]\nNote = {{ policy = "custom", function = "{name}" }}\n'
    assert mistake(lambda: loads(text)) == f"attributes.Note.function: {expected}"


@pytest.mark.parametrize("text", ["x = " + "[" * 100_000, "x = " + "9" * 5000])
def test_what_the_parser_cannot_bear_is_a_wrong_file_too(text: str) -> None:
    """Nesting without end and an integer of thousands of digits end in the same kind of error."""
    assert mistake(lambda: loads(text, "huge.toml")).startswith("huge.toml: cannot be read: ")


def test_maps_nest_as_deep_as_dynamodb_holds_them() -> None:
    """A member may stand 32 levels deep, and not 33."""
    assert loads(nested(32)).of("/".join(["X"] * 33)).kind is Kind.MAX
    assert mistake(lambda: loads(nested(33))).endswith(
        ".members: is nested deeper than 32 levels, the most that DynamoDB holds"
    )


def nested(depth: int) -> str:
    """Return a policy with a member that many levels deep."""
    policy = '"max"'
    for _ in range(depth):
        policy = f'{{ policy = "map", members = {{ X = {policy} }} }}'
    return f"{MINIMAL}[attributes]\nX = {policy}\n"


def test_the_error_carries_its_place() -> None:
    """An edge may point at the place without reading the sentence."""
    with pytest.raises(PolicyFileError) as caught:
        loads(f"{MINIMAL}[attributes]\nX = 1\n")
    assert caught.value.place == "attributes.X"
    assert str(caught.value) == f"policy file: attributes.X: is an integer; expected {POLICY}"


@pytest.mark.usefixtures("merges")
def test_a_full_file_loads() -> None:
    """Every key of the format arrives where it belongs, in milliseconds and canonical wire values."""
    policy = loads(FULL)
    note = policy.attributes["Note"]
    assert note.function is not None
    assert note.function("ab", "b") == "ab"
    assert policy == Policy(
        name="GlobalEventTable",
        partition_key="Id",
        sort_key="At",
        regions=(Region("us-east-1"), Region("eu-west-1")),
        window_ms=36 * HOUR,
        max_writes=50,
        min_window_ms=150_000,
        max_causality_bytes=1024,
        max_clock_skew_ms=250,
        tombstone_ttl_ms=10 * DAY,
        lost_to_delete=OnDeleted.ESCALATE,
        recreate=Recreate.REFUSE,
        hard_delete=OnHardDelete.RESTORE,
        foreign_writes=OnForeign.REPORT,
        attributes={
            "Data": LATEST,
            "Balance": AttributePolicy(Kind.COUNTER),
            "Tags": AttributePolicy(Kind.SET),
            "Limit": AttributePolicy(Kind.MAX),
            "Status": AttributePolicy(Kind.RANK, order=({"S": "pending"}, {"S": "active"}, {"N": "7"})),
            "Profile": AttributePolicy(
                Kind.MAP,
                members={
                    "LoginCount": AttributePolicy(Kind.COUNTER),
                    "Deep": AttributePolicy(Kind.MAP, members={"X": AttributePolicy(Kind.MIN)}),
                },
            ),
            "Note": AttributePolicy(Kind.CUSTOM, function=note.function, function_name="my_merges:longest"),
            "a/b": AttributePolicy(Kind.MANUAL),
        },
    )
    assert policy.key_names == ("Id", "At")


def test_a_minimal_file_gets_all_defaults() -> None:
    """Three lines are enough; whatever they leave out is as `Policy` has it."""
    assert loads(MINIMAL) == Policy("T", "Id", (Region("r1"), Region("r2")))


def test_the_shipped_example_states_the_defaults() -> None:
    """The example policy says what would hold without it, so that nobody has to guess."""
    policy = load(Path(__file__).parents[1] / "infra" / "policy.toml")
    defaults = Policy(policy.name, policy.partition_key, policy.regions)
    differing = {field.name for field in fields(Policy) if getattr(policy, field.name) != getattr(defaults, field.name)}
    assert differing == {"attributes"}
    assert {name: attribute.kind.value for name, attribute in policy.attributes.items()} == {
        "Data": "latest",
        "Balance": "counter",
        "Tags": "set",
        "Limit": "max",
        "Status": "rank",
        "Profile": "map",
    }
    assert policy.of("Profile/LoginCount").kind is Kind.COUNTER


@pytest.mark.parametrize(
    ("line", "field", "expected"),
    [
        ('max_clock_skew = "1ms"', "max_clock_skew_ms", 1),
        ('max_clock_skew = "0.001s"', "max_clock_skew_ms", 1),
        ('max_clock_skew = "007s"', "max_clock_skew_ms", 7000),
        ('window = "999999999999.5d"', "window_ms", 999_999_999_999 * DAY + 12 * HOUR),
        ('window = "5m"', "window_ms", 5 * MINUTE),
        ('min_window = "24h"', "min_window_ms", 24 * HOUR),
        ('tombstone_ttl = "86400001ms"', "tombstone_ttl_ms", DAY + 1),
        ("max_writes = 1", "max_writes", 1),
        ("max_causality_bytes = 409600", "max_causality_bytes", 409_600),
    ],
)
def test_bounds_are_inclusive(line: str, field: str, expected: int) -> None:
    """The last value that is allowed is allowed, and durations are exact."""
    assert getattr(loads(f"{MINIMAL}{line}\n"), field) == expected


def test_ninety_nine_regions_are_allowed() -> None:
    """A stamp's two digits can name 99 Regions."""
    regions = [f"r{number}" for number in range(1, 100)]
    assert loads(f"{NO_REGIONS}regions = {regions}").region_code("r99") == 99


@pytest.mark.parametrize(
    ("lines", "path", "kind"),
    [
        ('X = "map"', "X/any", Kind.LATEST),
        ('X = { policy = "map" }', "X/any", Kind.LATEST),
        ('X = { policy = "map", members = { Version = "max" } }', "X/Version", Kind.MAX),
        ('"X/a" = "max"\nX = "set"', "X/a", Kind.MAX),
        ('"a/b" = { policy = "map", members = { c = "min" } }', "a~1b/c", Kind.MIN),
        ('[attributes.X]\npolicy = "map"\n[attributes.X.members]\n"a.b" = "union"', "X/a.b", Kind.UNION),
    ],
)
def test_names_that_are_allowed(lines: str, path: str, kind: Kind) -> None:
    """A slash is part of a name unless a map is meant; members may have any name; the long form of TOML will do."""
    assert loads(f"{MINIMAL}[attributes]\n{lines}\n").of(path).kind is kind


def test_a_file_loads_by_its_path(tmp_path: Path) -> None:
    """The byte order mark that some editors write is no fault."""
    path = tmp_path / "policy.toml"
    path.write_text(MINIMAL, encoding="utf-8-sig")
    assert load(path) == Policy.load(str(path)) == loads(MINIMAL)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file, a directory, a file of other bytes or of other syntax: each error begins with the path."""
    missing, other, syntax = tmp_path / "none.toml", tmp_path / "latin.toml", tmp_path / "syntax.toml"
    other.write_bytes(b'[table]\nname = "\xe9"')
    syntax.write_text("[table]\nname 5")
    assert mistake(lambda: load(missing)) == f"{missing}: cannot be read: No such file or directory"
    assert mistake(lambda: load(tmp_path)) == f"{tmp_path}: cannot be read: Is a directory"
    assert mistake(lambda: load(other)) == f"{other}: is not UTF-8: invalid continuation byte at byte 16"
    assert mistake(lambda: load(syntax)).startswith(f"{syntax}: cannot be read: Expected '='")


scalars = st.one_of(
    st.text(),
    st.sampled_from([kind.value for kind in Kind]),
    st.sampled_from(["", "x:y", "math:gcd", "os.path:join"]),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.times(),
    st.datetimes(timezones=st.just(UTC)),
)
names = st.sampled_from(["policy", "order", "members", "function", "Id", "Version", "Profile", "a/b", "a"]) | st.text()


def policies(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return tables that look like a policy more often than chance would have it."""
    optional = {
        "order": st.lists(st.text() | st.integers(), max_size=4) | inner,
        "members": st.dictionaries(names, inner, max_size=3) | inner,
        "function": st.sampled_from(["math:gcd", "math:pi", "x:y"]) | inner,
    }
    return st.fixed_dictionaries({"policy": st.sampled_from([kind.value for kind in Kind])}, optional=optional)


junk = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4) | policies(inner),
    max_leaves=12,
)


def toml(value: object) -> str:
    """Write a value inline, as TOML."""
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case bool():
            return str(value).lower()
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            return f"{{ {', '.join(f'{toml(name)} = {toml(member)}' for name, member in value.items())} }}"
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return repr(value)


@given(st.dictionaries(names, junk, max_size=4))
@example({"X": {"policy": "map", "members": {"Y": {"policy": "rank", "order": [1, "a"]}}}})
def test_junk_either_loads_or_is_one_error(attributes: dict[str, Any]) -> None:
    """Whatever stands in `attributes`, the outcome is a policy of exactly these names, or one error about them."""
    text = f"attributes = {toml(attributes)}\n{MINIMAL}"
    try:
        loaded = loads(text)
    except PolicyFileError as error:
        assert error.place.startswith("attributes.")  # noqa: PT017 - either outcome is right
    else:
        assert loaded.attributes.keys() == attributes.keys()


@given(st.text())
def test_a_text_that_is_no_policy_is_one_error(text: str) -> None:
    """No text but a policy loads, and none raises anything else."""
    assert mistake(lambda: loads(text))
