"""The history that is played on a deployment, whoever pauses its replication.

A: v0 | A>B | pause | A: Balance+10 Tags+a  B: Balance+100 Tags+b, each for several items | resume | both agree
"""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from reconciler.adapters.binary import from_boto
from reconciler.wire import Image, canonical_image

ITEMS = 5
TOTAL = {"N": "111"}
BOTH = {"SS": ["a", "b"]}
Ask = Callable[[], Any]
Eventually = Callable[[Ask], Any]


class Place:
    """One Region of a deployment, reached by AWS's own clients."""

    def __init__(self, client: Callable[[str], Any], table: str, worker_stack: str) -> None:
        """Reach it by `client`, which returns the Region's client of a service."""
        self._table, self._stack = table, worker_stack
        self._lambda, self._dynamodb = client("lambda"), client("dynamodb")

    def write(self, **request: Any) -> Any:
        """Return the write function's answer; AssertionError where it fails."""
        payload = json.dumps(request).encode()
        answer = self._lambda.invoke(FunctionName=f"{self._stack}-write", Payload=payload)
        told = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, told
        return told

    def item(self, key: str) -> Image | None:
        """Return an item in canonical form."""
        found = self._dynamodb.get_item(TableName=self._table, Key={"Id": {"S": key}}, ConsistentRead=True)
        return canonical_image(from_boto(found["Item"])) if "Item" in found else None

    def delete(self, key: str) -> None:
        """Take an item away, past the writer: it leaves no tombstone."""
        self._dynamodb.delete_item(TableName=self._table, Key={"Id": {"S": key}})

    @property
    def table_arn(self) -> str:
        """The ARN of this Region's replica."""
        return str(self._dynamodb.describe_table(TableName=self._table)["Table"]["TableArn"])


class Smoke:
    """Plays the history on two Regions; `run` makes its items, and no others, recognisable."""

    def __init__(self, a: Place, b: Place, run: str, eventually: Eventually, shortly: Eventually) -> None:
        """Have nothing written yet; what has not come `shortly` is taken for held back."""
        self.a, self.b, self._run = a, b, run
        self._eventually, self._shortly = eventually, shortly
        self.keys = [f"smoke-{run}-{number}" for number in range(ITEMS)]

    def play(self, pause: AbstractContextManager[None]) -> None:
        """Leave every item in both Regions, with both Regions' writes in it; AssertionError where any is lost."""
        for key in self.keys:
            assert self.a.write(Id=key, IdempotencyKey=f"{key}-v0", Add={"Balance": 1})["status"] == "applied"
        self._agree(lambda item: item["Balance"] == {"N": "1"})
        with pause:
            self._see_the_pause()
            self._conflict()
        self._agree(lambda item: item["Balance"] == TOTAL and item["Tags"] == BOTH)
        self._retry_elsewhere()

    def _see_the_pause(self) -> None:
        """An experiment that says it runs may not have reached replication yet: a write has to stay away first."""
        probes = iter(range(100))

        def stays_away() -> bool:
            key = f"smoke-{self._run}-probe-{next(probes)}"
            self.keys.append(key)
            self.a.write(Id=key, Add={"Balance": 111}, AddToSet={"Tags": ["a", "b"]})
            return not self._arrives(key)

        self._eventually(stays_away)

    def _arrives(self, key: str) -> bool:
        try:
            return bool(self._shortly(lambda: self.b.item(key)))
        except AssertionError:
            return False

    def _conflict(self) -> None:
        """Each Region writes what the other does not see."""
        for key in self.keys[:ITEMS]:
            for place, name, amount in ((self.a, "a", 10), (self.b, "b", 100)):
                delta = {"Add": {"Balance": amount}, "AddToSet": {"Tags": [name]}}
                told = place.write(Id=key, IdempotencyKey=f"{key}-{name}", **delta)
                assert told["status"] == "applied", told
                assert told["item"]["Balance"] == 1 + amount, "the Regions are not cut off: nothing is shown"

    def _agree(self, is_there: Callable[[Image], bool]) -> None:
        """Both Regions hold each item, alike to the byte."""
        for key in self.keys:

            def agreed(key: str = key) -> bool:
                here, there = self.a.item(key), self.b.item(key)
                return here is not None and here == there and is_there(here)

            self._eventually(agreed)

    def _retry_elsewhere(self) -> None:
        """A request that one Region has executed is known to the other by now."""
        key = self.keys[0]
        told = self.b.write(Id=key, IdempotencyKey=f"{key}-a", Add={"Balance": 10}, AddToSet={"Tags": ["a"]})
        assert told["status"] == "duplicate", told

    def clean_up(self) -> Mapping[str, str]:
        """Take the items away in both Regions; return what could not be taken away, and why."""
        left = {}
        for key in self.keys:
            for place in (self.a, self.b):
                try:
                    place.delete(key)
                except Exception as error:  # noqa: BLE001 - the next item is still to be taken away
                    left[key] = str(error)
        return left
