"""The resolver: `join`, offered on plain boto3-style items."""

from collections.abc import Mapping
from typing import Any, assert_never

from reconciler.codec import decode, encode
from reconciler.errors import RequestError
from reconciler.item import Item
from reconciler.join import join
from reconciler.plain import PlainItem, adopt, adoption_included, follows, is_plain, read_plain, resolve_plain
from reconciler.policy import Policy, default_policy
from reconciler.wire import Image, attribute_name, from_plain, plain_image


class ConflictResolver:
    """Merges two Regions' versions of one item, the same in every Region and in any order."""

    def __init__(self, policy: Policy | None = None) -> None:
        """Resolve by `policy`; without one every attribute is `latest` and the key is `Id`."""
        self._policy = policy or default_policy()

    def resolve(self, item_region1: Mapping[str, Any], item_region2: Mapping[str, Any]) -> dict[str, Any]:
        """Return the item that includes both, the same whichever is named first.

        Items are as boto3's resources give them. Where both have `Causality` the result is exact, else approximate:
        of two plain items the later (Timestamp, LastUpdatedRegion) wins, with what only the other has.
        RequestError names the attribute that DynamoDB could not hold, ItemError the one that cannot be read.
        """
        left, right = self._wire(item_region1, "item_region1"), self._wire(item_region2, "item_region2")
        if self._policy.key_of(left) != self._policy.key_of(right):
            raise RequestError("item_region2", "is another item: its key differs from that of item_region1")
        return plain_image(self._merged(self._state(left), self._state(right)))

    def _state(self, image: Image) -> Item | PlainItem:
        return read_plain(image) if is_plain(image) else decode(image, self._policy)

    def _merged(self, left: Item | PlainItem, right: Item | PlainItem) -> Image:
        match left, right:
            case PlainItem(), PlainItem():
                return self._later(left, right)
            case Item(), Item():
                return encode(join(left, right, self._policy), self._policy)
            case PlainItem(), Item():
                return self._merged(right, left)
            case Item(), PlainItem() if adoption_included(right, left.ledger):
                return encode(left, self._policy)
            case Item(), PlainItem():
                return self._merged(left, adopt(right, self._policy))
        assert_never((left, right))  # type: ignore[arg-type]  # a pair is not narrowed as a whole

    def _later(self, left: PlainItem, right: PlainItem) -> Image:
        """Return the successor where there is one; two executions of one request are each other's."""
        successors = [new for new, old in ((left, right), (right, left)) if follows(new, old)]
        if successors:
            return max(successors, key=lambda item: item.order).image
        return resolve_plain(left, right, self._policy).image

    def _wire(self, item: Mapping[str, Any], place: str) -> Image:
        if not isinstance(item, Mapping):
            raise RequestError(place, f"is {type(item).__name__}; an item as boto3's resources give it was expected")
        image = {}
        for name, value in item.items():
            try:
                image[attribute_name(name)] = from_plain(value)
            except ValueError as error:
                raise RequestError(f"{place}.{name}", f"is {type(value).__name__}: {error}") from None
        return image
