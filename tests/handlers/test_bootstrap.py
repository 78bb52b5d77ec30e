"""The composition root: the very functions that are deployed, with parts in memory."""

import json

import pytest

from handlers.bootstrap import load_policy, stream_handler, write_handler
from handlers.settings import Settings
from reconciler.adapters.memory import MemoryQueue, MemoryRecorder, MemoryTable
from reconciler.errors import ConfigurationError, RequestError, TransientError
from reconciler.policy_file import loads

POLICY = """
[table]
name = "GlobalEventTable"
partition_key = "Id"
regions = ["us-east-1", "eu-west-1"]
[attributes]
Balance = "counter"
"""
NOW = 1_700_000_000_000


class Telemetry(MemoryRecorder):
    """A recorder that also keeps the line of each batch, and the counts of each metric."""

    def __init__(self):
        """Start empty."""
        super().__init__()
        self.batches = []
        self.emitted = []

    def batch(self, records, failures, counts):
        """Keep the batch's line."""
        self.batches.append((records, failures, dict(counts)))

    def emit(self, counts):
        """Keep the counts."""
        self.emitted.append(dict(counts))


@pytest.fixture
def settings(tmp_path):
    """Settings whose policy file stands in a directory of its own."""
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    return Settings("GlobalEventTable", str(path), "us-east-1", "https://queue", lanes=2)


def modify(old, new, number="1"):
    """Return a record of one change."""
    body = {"Keys": {"Id": {"S": "x"}}, "OldImage": old, "NewImage": new, "SequenceNumber": number}
    return {"eventName": "MODIFY", "eventSource": "aws:dynamodb", "dynamodb": body}


def wrote(settings, region, *requests):
    """Return the image that a writer in a Region makes of the requests."""
    table = MemoryTable()
    other = Settings(settings.table_name, settings.policy_file, region)
    handle = write_handler(other, table=table, emit=lambda _: None, clock=lambda: NOW)
    for request in requests:
        handle(request, None)
    return table.read({"Id": {"S": "x"}})


FIRST = {"Id": "x", "Add": {"Balance": 1}, "IdempotencyKey": "k0"}
EAST = {"Id": "x", "Add": {"Balance": 10}, "IdempotencyKey": "k1"}
WEST = {"Id": "x", "Add": {"Balance": 100}, "IdempotencyKey": "k2"}


def test_a_lost_write_is_joined_back_by_the_deployed_function(settings):
    """A record that overwrote a local write ends as the sum of both, with one line, one metric and no failure."""
    winner = wrote(settings, "eu-west-1", FIRST, WEST)
    loser = wrote(settings, "us-east-1", FIRST, EAST)
    telemetry, table = Telemetry(), MemoryTable()
    table.put({"Id": {"S": "x"}}, winner)
    handle = stream_handler(settings, table=table, queue=MemoryQueue(), recorder=telemetry, emit=telemetry.emit)
    assert handle({"Records": [modify(loser, winner)]}, None) == {"batchItemFailures": []}
    assert table.read({"Id": {"S": "x"}})["Balance"] == {"N": "111"}
    assert telemetry.batches[0][:2] == (1, 0)
    assert telemetry.emitted[0]["repaired"] == 1


def test_a_refusing_queue_makes_the_record_a_reported_failure(settings):
    """What can neither be settled nor stored is delivered again."""
    queue = MemoryQueue()
    queue.refusing = True
    telemetry = Telemetry()
    handle = stream_handler(settings, table=MemoryTable(), queue=queue, recorder=telemetry, emit=telemetry.emit)
    image = {"Id": {"S": "x"}, "Causality": {"S": "junk"}}
    answer = handle({"Records": [modify(image, {**image, "Data": {"S": "y"}}, "7")]}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "7"}]}
    assert telemetry.emitted[0]["failed_records"] == 1


def test_a_log_or_metric_that_fails_masks_nothing(settings):
    """Telemetry is best effort: the answer is the same without it."""

    class Broken(Telemetry):
        def batch(self, records, failures, counts):
            raise OSError

        def emit(self, counts):
            raise OSError

    broken = Broken()
    handle = stream_handler(settings, table=MemoryTable(), queue=MemoryQueue(), recorder=broken, emit=broken.emit)
    assert handle({"Records": []}, None) == {"batchItemFailures": []}


def test_the_deadline_of_the_context_is_kept(settings):
    """With no time left nothing is started: the record is reported, and delivered again."""

    class Context:
        @staticmethod
        def get_remaining_time_in_millis():
            return 10

    loser, winner = wrote(settings, "us-east-1", FIRST, EAST), wrote(settings, "eu-west-1", FIRST, WEST)
    telemetry = Telemetry()
    handle = stream_handler(settings, table=MemoryTable(), queue=MemoryQueue(), recorder=telemetry, emit=telemetry.emit)
    assert handle({"Records": [modify(loser, winner, "9")]}, Context())["batchItemFailures"] == [
        {"itemIdentifier": "9"}
    ]


@pytest.mark.parametrize("event", [None, [], {}, {"Records": None}, {"records": []}])
def test_an_event_that_is_no_stream_event_is_refused(settings, event):
    """Another service's event is a fault of the deployment, said loudly."""
    handle = stream_handler(settings, table=MemoryTable(), queue=MemoryQueue(), recorder=Telemetry(), emit=print)
    with pytest.raises(ConfigurationError, match="no list of Records"):
        handle(event, None)


def test_a_request_may_hold_floats_and_the_answer_is_json(settings):
    """Lambda parses 0.5 as a float; the item holds exactly 0.5."""
    handle = write_handler(settings, table=MemoryTable(), emit=lambda _: None, clock=lambda: NOW)
    answer = handle({"Id": "x", "Add": {"Balance": 0.5}, "IdempotencyKey": "k"}, None)
    assert (answer["status"], answer["version"], answer["item"]["Balance"]) == ("applied", 1, 0.5)


def test_a_transaction_is_executed_as_one(settings):
    """Both items have the transaction's key."""
    table = MemoryTable()
    handle = write_handler(settings, table=table, emit=lambda _: None, clock=lambda: NOW)
    events = [{"Id": "x", "Add": {"Balance": -5}}, {"Id": "y", "Add": {"Balance": 5}}]
    request = {"Transaction": {"IdempotencyKey": "t", "Events": events}}
    assert handle(request, None)["status"] == "applied"
    assert handle(request, None)["status"] == "duplicate"
    assert table.read({"Id": {"S": "y"}})["Balance"] == {"N": "5"}


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        ({"Transaction": []}, "Transaction: is list; a mapping was expected, alone in the request"),
        ({"Transaction": {}, "Data": "v"}, "Transaction: is dict; a mapping was expected, alone in the request"),
        (
            {"Transaction": {"Key": "k"}},
            "Transaction.Key: is no field of a transaction; expected Events, IdempotencyKey, Timestamp",
        ),
        ({"Transaction": {}}, "Events: has 0 requests; 1 to 100 were expected"),
        ([], "request: is list; a mapping was expected"),
    ],
)
def test_a_wrong_request_names_its_field(settings, request_, problem):
    """The write function's errors are the writer's."""
    handle = write_handler(settings, table=MemoryTable(), emit=lambda _: None, clock=lambda: NOW)
    with pytest.raises(RequestError) as caught:
        handle(request_, None)
    assert str(caught.value) == problem


def test_each_answer_and_each_skewed_item_is_counted(settings):
    """Duplicates and skew are metrics of the write function."""
    emitted, table = [], MemoryTable()
    write_handler(settings, table=table, emit=emitted.append, clock=lambda: NOW + 60_000)(FIRST, None)
    handle = write_handler(settings, table=table, emit=emitted.append, clock=lambda: NOW)
    handle(FIRST, None)
    assert emitted == [{"applied": 1}, {"skewed_items": 1}, {"skew_ms": 60_000}, {"duplicate": 1}]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"table_name": "Other"}, "^TABLE_NAME: is 'Other', but POLICY_FILE .* is for 'GlobalEventTable'"),
        ({"region": "mars-1"}, "^AWS_REGION: Region 'mars-1' is not in the policy's regions"),
        ({"policy_file": "/nowhere/policy.toml"}, "^POLICY_FILE: policy file: /nowhere/policy.toml: cannot be read"),
    ],
)
def test_a_policy_for_another_deployment_is_refused_at_start(settings, change, problem):
    """The table's name and the Region must be the policy's."""
    wrong = Settings(**{**vars(settings), **change})
    with pytest.raises(ConfigurationError, match=problem):
        load_policy(wrong)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[table", "^POLICY_FILE: policy file: .*policy.toml: "),
        ("[table]\nname = 5", "^POLICY_FILE: policy file: table.name: "),
        ("\udcff", "^POLICY_FILE: policy file: .*policy.toml: is not UTF-8"),
    ],
)
def test_a_wrong_policy_file_is_told_by_its_variable(settings, tmp_path, content, problem):
    """What is no TOML, or not a policy, is told with the variable that brought it, and with its place."""
    (tmp_path / "policy.toml").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(ConfigurationError, match=problem):
        load_policy(settings)


class Unreachable(MemoryTable):
    """A table that nobody reaches."""

    def read(self, key):
        """Refuse."""
        raise TransientError("timed out")


def test_a_fault_that_may_pass_tells_the_key_that_was_made(settings):
    """Who gave no key can try again under the one that may have been executed already."""
    handle = write_handler(settings, table=Unreachable(), emit=lambda _: None, new_key=lambda: "made-here")
    with pytest.raises(TransientError, match=r"^timed out; retry with IdempotencyKey 'made-here'$"):
        handle({"Id": "x", "Data": 1}, None)
    with pytest.raises(TransientError, match=r"^timed out; retry with IdempotencyKey 'made-here'$"):
        handle({"Transaction": {"Events": [{"Id": "x", "Data": 1}]}}, None)


@pytest.mark.parametrize(
    "request_",
    [
        FIRST,
        {"eventId": "k0", "event": {"Id": "x", "Data": 1}},
        {"Transaction": {"IdempotencyKey": "k0", "Events": [{"Id": "x", "Data": 1}]}},
    ],
)
def test_a_key_of_the_clients_own_is_not_repeated(settings, request_):
    """It knows its key; the log of the function need not."""
    handle = write_handler(settings, table=Unreachable(), emit=lambda _: None)
    with pytest.raises(TransientError, match=r"^timed out$"):
        handle(request_, None)


def test_an_attribute_may_be_called_transaction(settings):
    """What has the table's key is a request, whatever else it holds."""
    handle = write_handler(settings, table=MemoryTable(), emit=lambda _: None, clock=lambda: NOW)
    assert handle({"Id": "x", "Transaction": {"Events": []}}, None)["item"]["Transaction"] == {"Events": []}


def test_the_policy_can_be_given():
    """Tests and offline tools need no file."""
    elsewhere = Settings("GlobalEventTable", "", "us-east-1")
    handle = write_handler(elsewhere, policy=loads(POLICY), table=MemoryTable(), emit=lambda _: None, clock=lambda: NOW)
    assert handle(FIRST, None)["status"] == "applied"


def test_a_large_item_is_not_in_the_answer_to_an_event(settings):
    """An answer that the workflow refused would come after the write was made; who asks directly has the item."""
    table = MemoryTable()
    handle = write_handler(settings, table=table, emit=lambda _: None, clock=lambda: NOW)
    handle({"Id": "x", "Set": {"Data": "v" * 300_000}, "IdempotencyKey": "k0"}, None)
    for event in ({"eventId": "k1", "event": {"Id": "x", "Add": {"Balance": 1}}, "claimExpiresAt": 0},) * 2:
        answer = handle(event, None)
        assert sorted(answer) == ["idempotency_key", "status", "token", "version"]
        assert len(json.dumps(answer)) < 1_000
    assert (answer["status"], answer["version"]) == ("duplicate", 2)
    direct = handle({"Id": "x", "Add": {"Balance": 1}, "IdempotencyKey": "k2"}, None)
    assert (len(direct["item"]["Data"]), direct["item"]["Balance"]) == (300_000, 2)
    several = handle({"Transaction": {"IdempotencyKey": "t", "Events": [{"Id": "x", "Add": {"Balance": 1}}]}}, None)
    assert several["results"][0]["item"]["Balance"] == 3


def test_an_attribute_may_be_called_event(settings):
    """What has the table's key and no eventId is a request, and its answer has the item."""
    handle = write_handler(settings, table=MemoryTable(), emit=lambda _: None, clock=lambda: NOW)
    assert handle({"Id": "x", "event": "a meeting"}, None)["item"]["event"] == "a meeting"
