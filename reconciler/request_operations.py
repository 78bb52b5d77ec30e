"""The operations of a request: what it asks to set, remove, add, each checked against the attribute's policy.

Members of a `map` attribute are named by path, ``Profile/LoginCount``; a path has one spelling once it is read here.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import NoReturn

from reconciler.errors import RequestError
from reconciler.fitting import elements_of, misfit
from reconciler.policy import (
    LATEST,
    REGISTERS,
    SEMILATTICES,
    AttributePolicy,
    Kind,
    Policy,
    escape,
    split_path,
    type_letter,
)
from reconciler.request_fields import type_name, wire, wire_set
from reconciler.wire import Value, attribute_name

Elements = Mapping[str, tuple[str, ...]]
_SETTABLE = REGISTERS | SEMILATTICES


class Operations:
    """What a request asks of an item, by path, in canonical wire form; no path is named twice."""

    def __init__(self, policy: Policy) -> None:
        """Start with nothing asked."""
        self._policy = policy
        self._places: dict[str, str] = {}
        self._places_less: dict[str, str] = {}
        self.sets: dict[str, Value] = {}
        self.removes: list[str] = []
        self.removed_maps: list[str] = []
        self.adds: dict[str, Decimal] = {}
        self.elements_added: dict[str, tuple[str, ...]] = {}
        self.elements_removed: dict[str, tuple[str, ...]] = {}

    @property
    def are_none(self) -> bool:
        """Whether nothing is asked."""
        return not (self._places or self._places_less)

    def set(self, place: str, name: object, value: object) -> None:
        """Ask for a register's value, for a value to join, or for the members that a map names."""
        path, policy = resolve(place, name, self._policy)
        self._set(place, path, policy, wire(place, value))

    def remove(self, place: str, name: object) -> None:
        """Ask for a register to go, or every member of a map."""
        path, policy = resolve(place, name, self._policy)
        if not _is_removable(policy):
            raise RequestError(
                place, f"its policy is {policy.kind.value}; only registers (latest, manual) can be removed"
            )
        self._refuse_named_members(place, path, type_name(name))
        self._claim(place, path, type_name(name))
        (self.removed_maps if policy.kind is Kind.MAP else self.removes).append(path)

    def add(self, place: str, name: object, number: object) -> None:
        """Ask for a counter to grow or shrink."""
        path, policy = resolve(place, name, self._policy)
        if policy.kind is not Kind.COUNTER:
            raise RequestError(
                place, f"is {type_name(number)}, but its policy is {policy.kind.value}; Add wants a counter"
            )
        value = wire(place, number)
        if "N" not in value:
            raise RequestError(place, f"is {type_name(number)}; a number was expected")
        self._claim(place, path, type_name(number))
        self.adds[path] = Decimal(value["N"])

    def add_elements(self, place: str, name: object, elements: object) -> None:
        """Ask for a set to have these elements."""
        path, policy = resolve(place, name, self._policy)
        if policy.kind is Kind.UNION:
            self._set(place, path, policy, wire_set(place, elements))
            return
        _refuse_no_set(place, policy, elements)
        self._claim(place, path, type_name(elements))
        self.elements_added[path] = tuple(elements_of(wire_set(place, elements)))

    def remove_elements(self, place: str, name: object, elements: object) -> None:
        """Ask for a set not to have these elements, none of which is also added."""
        path, policy = resolve(place, name, self._policy)
        _refuse_no_set(place, policy, elements)
        self._claim(place, path, type_name(elements), self._places_less)  # apart: the set may gain other elements
        removed, added = elements_of(wire_set(place, elements)), self.elements_added.get(path, ())
        if not set(removed).isdisjoint(added):
            raise RequestError(
                place,
                f"is {type_name(elements)} with an element that is both added (by {self._places[path]}) and removed; "
                "one of the two was expected",
            )
        if added and removed[0][0] != added[0][0]:
            raise RequestError(
                place,
                f"is {type_name(elements)} and its elements are {removed[0][0]}, "
                f"those of {self._places[path]} {added[0][0]}; one type was expected",
            )
        self.elements_removed[path] = tuple(removed)

    def _set(self, place: str, path: str, policy: AttributePolicy, value: Value) -> None:
        if policy.kind is Kind.MAP:
            self._set_members(place, path, policy, value)
            return
        if policy.kind not in _SETTABLE:
            instead = "Add" if policy.kind is Kind.COUNTER else "AddToSet and RemoveFromSet"
            raise RequestError(place, f"is {type_letter(value)}, but its policy is {policy.kind.value}: use {instead}")
        problem = misfit(value, policy)
        if problem:
            raise RequestError(place, problem)
        self._claim(place, path, type_letter(value))
        self.sets[path] = value

    def _set_members(self, place: str, path: str, policy: AttributePolicy, value: Value) -> None:
        if "M" not in value:
            raise RequestError(place, f"is {type_letter(value)}, but its policy is map, which wants M")
        for name, member in value["M"].items():
            if not name:
                raise RequestError(place, "is M, and a member's name is empty; text that is not empty was expected")
            self._set(f"{place}/{name}", f"{path}/{escape(name)}", policy.members.get(name, LATEST), member)

    def _claim(self, place: str, path: str, given: str, places: dict[str, str] | None = None) -> None:
        """Refuse what two operations, or two spellings, name."""
        places = self._places if places is None else places
        above = [named for named in self.removed_maps if path.startswith(f"{named}/")]
        for named in (path, *above):
            if named in places:
                _refuse_twice(place, given, places[named])
        places[path] = place

    def _refuse_named_members(self, place: str, path: str, given: str) -> None:
        for named, elsewhere in self._places.items():
            if named.startswith(f"{path}/"):
                _refuse_twice(place, given, elsewhere)


def _refuse_twice(place: str, given: str, elsewhere: str) -> NoReturn:
    raise RequestError(place, f"is {given} and named twice, here and as {elsewhere}; one operation for it was expected")


def _refuse_no_set(place: str, policy: AttributePolicy, elements: object) -> None:
    if policy.kind is not Kind.SET:
        raise RequestError(
            place, f"is {type_name(elements)}, but its policy is {policy.kind.value}; a set was expected"
        )


def resolve(place: str, name: object, policy: Policy) -> tuple[str, AttributePolicy]:
    """Return an attribute's or member's path in its one spelling, and its policy."""
    if not isinstance(name, str) or not name:
        field = place.partition(".")[0]  # the name itself might hold a value
        raise RequestError(field, f"names an attribute by {type_name(name)}; names are text and not empty")
    try:
        segments = split_path(attribute_name(name))
    except ValueError as error:
        raise RequestError(place.partition(".")[0], f"names an attribute by {error}") from None
    if len(segments) > 1 and policy.attributes.get(segments[0], LATEST).kind is Kind.MAP:
        _refuse_paths_into_values(place, segments, policy)
        path = "/".join(map(escape, segments))
        return path, policy.of(path)
    if not policy.is_users(name):
        raise RequestError(place, "the name is reserved; an attribute of your own was expected")
    attribute = policy.attributes.get(name, LATEST)
    return escape(name) if attribute.kind is Kind.MAP else name, attribute


def names_of(operation: str, names: object) -> list[object]:
    """Return the names in a list of them, which may be a tuple or a set."""
    if not isinstance(names, list | tuple | AbstractSet):
        raise RequestError(operation, f"is {type_name(names)}; a list of attribute names was expected")
    return list(names)


def _refuse_paths_into_values(place: str, segments: list[str], policy: Policy) -> None:
    attribute = policy.attributes[segments[0]]
    for segment in segments[1:]:
        if attribute.kind is not Kind.MAP:
            raise RequestError(place, f"the path leads into a value whose policy is {attribute.kind.value}, not map")
        if not segment:
            raise RequestError(place, "the path has an empty segment; names that are not empty were expected")
        attribute = attribute.members.get(segment, LATEST)


def _is_removable(policy: AttributePolicy) -> bool:
    if policy.kind is Kind.MAP:
        return all(map(_is_removable, policy.members.values()))
    return policy.kind in REGISTERS
