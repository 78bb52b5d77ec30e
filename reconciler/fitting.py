"""Fitting: which values a policy accepts, and how a set's elements are named."""

from collections.abc import Iterable
from typing import Any

from reconciler.errors import ItemError
from reconciler.policy import REGISTERS, AttributePolicy, Kind, type_letter
from reconciler.wire import SET_TYPES, Value, canonical

MAX_SHOWN = 10  # values of a rank's order in one message


def readable(place: str, value: Value, letter: str | None = None) -> Value:
    """Return the canonical value; ItemError where it is no wire value, or not of the type that was expected."""
    try:
        content = canonical(value)
    except ValueError as error:
        raise ItemError(place, str(error)) from None
    if letter and letter not in content:
        raise ItemError(place, f"is {type_letter(content)} where {letter} was expected")
    return content


def fitting(path: str, value: Value, attribute: AttributePolicy) -> Value:
    """Return the canonical value; ItemError where its type does not fit the attribute's policy."""
    content = readable(path, value)
    if attribute.kind in REGISTERS:
        return content
    problem = misfit(content, attribute)
    if problem:
        raise ItemError(path, problem)
    return content


def misfit(value: Value, attribute: AttributePolicy) -> str | None:
    """Say why a canonical value does not fit a policy, or None."""
    letter = type_letter(value)
    match attribute.kind:
        case Kind.COUNTER if letter != "N":
            return f"is {letter}, but its policy is counter, which wants N"
        case Kind.SET | Kind.UNION if letter not in SET_TYPES:
            return f"is {letter}, but its policy is {attribute.kind.value}, which wants SS, NS or BS"
        case Kind.MAX | Kind.MIN if letter not in {"N", "S", "B"}:
            return f"is {letter}, but its policy is {attribute.kind.value}, which wants N, S or B"
        case Kind.RANK if value not in attribute.order:
            return f"is {letter} and is not in the order of its policy rank, which is {_shown(attribute.order)}"
        case _:
            return None


def _shown(order: tuple[Value, ...]) -> str:
    """Name the values that a rank knows, which stand in the policy file."""
    names = [str(content) for value in order for content in value.values()]
    more = [f"{len(names) - MAX_SHOWN} more"] if len(names) > MAX_SHOWN else []
    return ", ".join(names[:MAX_SHOWN] + more)


def elements_of(value: Value) -> list[str]:
    """Return a canonical set's elements by type and value: ``S:red``, ``N:7``, ``B:base64``."""
    letter: Any = next(iter(value))
    return [f"{SET_TYPES[letter]}:{element}" for element in value[letter]]


def elements_value(path: str, elements: Iterable[str]) -> Value:
    """Return the set of these elements; ItemError where they are of several types."""
    names = list(elements)
    letters = {name[0] for name in names}
    if len(letters) > 1:
        raise ItemError(path, f"a set cannot hold elements of several types ({', '.join(sorted(letters))})")
    return canonical({f"{letters.pop()}S": [name[2:] for name in names]})
