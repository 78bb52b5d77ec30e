"""`aws` and `sam` that write down how they were called, and answer as a sound deployment would.

calls     one line of JSON a call: the whole command
answers   a file of the test's: what a call prints, or the status it fails with, by a part of its command
"""

import json
import shlex
import sys
from pathlib import Path

PROGRAM = """#!{python} -IS
import json, sys
from pathlib import Path
folder = Path({folder!r})
call = [Path(sys.argv[0]).name, *sys.argv[1:]]
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(call) + "\\n")
for part, answer in json.loads((folder / "answers").read_text()):
    if part in " ".join(call):
        if isinstance(answer, int):
            sys.exit(answer)
        print(answer)
        break
"""
REGIONS = ("us-east-1", "eu-west-1")


class Tools:
    """The two programs, in a folder that is alone on the PATH."""

    def __init__(self, folder: Path, code_sha256: str) -> None:
        """Put them there; they answer as if this code ran."""
        self.folder = folder
        self.answers: list[tuple[str, str | int]] = list(sound_answers(code_sha256).items())
        for name in ("aws", "sam"):
            program = folder / name
            program.write_text(PROGRAM.format(python=sys.executable, folder=str(folder)))
            program.chmod(0o755)
        self.write()

    def write(self) -> None:
        """Let the programs know what to answer."""
        (self.folder / "answers").write_text(json.dumps(self.answers))

    def answer(self, part: str, answer: object) -> None:
        """Let commands with this part be answered so: an exit status, or data that is printed as JSON."""
        told = answer if isinstance(answer, int | str) else json.dumps(answer)
        self.answers.insert(0, (part, told))
        self.write()

    def would_answer(self, call: str) -> str:
        """Return what a command prints."""
        return str(next(answer for part, answer in self.answers if part in call))

    def changed(self, part: str, change) -> None:
        """Let what is answered to commands with this part be changed by a function."""
        data = json.loads(self.would_answer(part))
        change(data)
        self.answer(part, data)

    def calls(self) -> list[str]:
        """Return what was called, in order, as a person would type it."""
        file = self.folder / "calls"
        return [shlex.join(json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []


def stream_of(region: str) -> str:
    """Return the ARN of a Region's stream."""
    return f"arn:aws:dynamodb:{region}:111122223333:table/GlobalEventTable/stream/2026-01-02T03:04:05.678"


def looked_up(region: str) -> dict[str, str]:
    """Return what is looked up in a Region, by the name under which later commands write it."""
    return {
        "stream": stream_of(region),
        "write function": f"arn:aws:lambda:{region}:111122223333:function:reconciler-write",
        "queue URL": f"https://sqs.{region}.amazonaws.com/111122223333/reconciler-poison",
        "queue": f"arn:aws:sqs:{region}:111122223333:reconciler-poison",
    }


def sound_answers(code_sha256: str) -> dict[str, str]:
    """Return what a sound deployment answers, by parts of commands; the first that fits counts."""
    answers: dict[str, object] = {"get-caller-identity": {"Account": "111122223333"}}
    for region, other in (REGIONS, REGIONS[::-1]):
        answers[f"describe-table --region {region} --table-name"] = stream_of(region)
        answers[f"get-function-configuration --region {region} --output text"] = looked_up(region)["write function"]
        answers[f"get-queue-url --region {region}"] = looked_up(region)["queue URL"]
        answers[f"get-queue-attributes --region {region}"] = looked_up(region)["queue"]
        answers[f"describe-table --region {region} --output json"] = {
            "Table": {
                "TableStatus": "ACTIVE",
                "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}],
                "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
                "LatestStreamArn": stream_of(region),
                "Replicas": [{"RegionName": other, "ReplicaStatus": "ACTIVE"}],
            }
        }
        answers[f"list-event-source-mappings --region {region}"] = {
            "EventSourceMappings": [
                {
                    "EventSourceArn": stream_of(region),
                    "State": "Enabled",
                    "FunctionResponseTypes": ["ReportBatchItemFailures"],
                    "MaximumRetryAttempts": 1000,
                    "MaximumRecordAgeInSeconds": 43200,
                    "BisectBatchOnFunctionError": True,
                    "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:111122223333:q"}},
                }
            ]
        }
    answers["describe-time-to-live"] = {
        "TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "ExpiresAt"}
    }
    answers["get-function-configuration"] = {
        "CodeSha256": code_sha256,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "Environment": {"Variables": {"TABLE_NAME": "GlobalEventTable"}},
    }
    return {part: answer if isinstance(answer, str) else json.dumps(answer) for part, answer in answers.items()}
