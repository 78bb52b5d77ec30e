"""Two Regions in memory, whose streams become recordings: written by the writer, with no worker running."""

from typing import TYPE_CHECKING, Any

from reconciler.adapters.memory import MemoryMeter, MemoryTable
from reconciler.policy import AttributePolicy, Kind, Policy, Region
from reconciler.wire import Image
from reconciler.writer import Writer
from replay_tools.recordings import Recorded

if TYPE_CHECKING:
    from reconciler.records import RawRecord

A, B = "us-east-1", "eu-west-1"
POLICY = Policy(
    "Accounts",
    "Id",
    (Region(A), Region(B)),
    attributes={"Balance": AttributePolicy(Kind.COUNTER), "Owner": AttributePolicy(Kind.MANUAL)},
)
NOW = 1_700_000_000_000


class Regions:
    """One item in two replicas, and the stream of each."""

    def __init__(self, key: str = "x") -> None:
        """Start with nothing."""
        self._now = NOW
        self._key: Image = {"Id": {"S": key}}
        self._streams: dict[str, list[RawRecord]] = {A: [], B: []}
        self._tables = {region: self._table(region) for region in (A, B)}

    def write(self, region: str, idempotency_key: str, **request: Any) -> None:
        """Execute one request."""
        self._now += 1
        writer = Writer(
            self._tables[region],
            region,
            POLICY,
            clock=lambda: self._now,
            new_key=str,
            pause=lambda _attempt: None,
            meter=MemoryMeter(),
        )
        writer.process_event({"Id": self._key["Id"]["S"], "IdempotencyKey": idempotency_key, **request})

    def replicate(self, winner: str, loser: str) -> None:
        """Let the winner's image stand in the loser's Region."""
        image = self._tables[winner].read(self._key)
        assert image is not None
        self._tables[loser].put(self._key, image)

    def put(self, region: str, image: Image) -> None:
        """Let an image stand there, whatever it is."""
        self._tables[region].put(self._key, image)

    def remove(self, region: str) -> None:
        """Remove the item for good."""
        self._tables[region].delete(self._key)

    def image(self, region: str) -> Image:
        """Return what stands in a Region."""
        image = self._tables[region].read(self._key)
        assert image is not None
        return image

    def recording(self, region: str) -> list[Recorded]:
        """Return the Region's stream so far."""
        return [Recorded(f"line {number}", raw) for number, raw in enumerate(self._streams[region], 1)]

    def _table(self, region: str) -> MemoryTable:
        def note(key: Image, old: Image | None, new: Image | None) -> None:
            stream = self._streams[region]
            images = {"OldImage": old, "NewImage": new}
            stream.append(
                {
                    "eventName": "INSERT" if old is None else "REMOVE" if new is None else "MODIFY",
                    "eventSource": "aws:dynamodb",
                    "awsRegion": region,
                    "dynamodb": {
                        "Keys": key,
                        "SequenceNumber": str(len(stream) + 1),
                        "ApproximateCreationDateTime": NOW // 1000,
                        **{name: image for name, image in images.items() if image is not None},
                    },
                }
            )

        return MemoryTable(note)


def lost_update() -> Regions:
    """A: Balance+1 | A>B | A: Balance+10 Note=a | B: Balance+100 | B>A."""
    regions = Regions()
    regions.write(A, "k0", Add={"Balance": 1})
    regions.replicate(A, B)
    regions.write(A, "k1", Set={"Note": "a"}, Add={"Balance": 10})
    regions.write(B, "k2", Add={"Balance": 100})
    regions.replicate(B, A)
    return regions
