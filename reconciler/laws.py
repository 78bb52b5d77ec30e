"""Laws: what a custom policy's function must keep, or two Regions would repair one loss differently, for ever.

    commutative   f(a, b) = f(b, a)                  total      answers for every pair of a type that it accepts
    associative   f(f(a, b), c) = f(a, f(b, c))      storable   what it returns, DynamoDB can hold
    idempotent    f(a, a) = a                        pure       it leaves its inputs as they were

The function sees values as boto3's resources give them, as in `join`; wire forms are compared, where True is not 1.
Samples are tried type by type, never a pair of two types. Where every two samples of a type raise, the function does
not accept that type: no fault, unless it accepts none. All triples are tried: n samples of a type cost 4 n^3 calls.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from functools import partial
from itertools import permutations, product
from traceback import format_exception_only
from typing import Any, TypeVar

from reconciler.policy import type_letter
from reconciler.wire import MAX_DIGITS, Value, canonical_text, from_plain, plain

Cuttable = TypeVar("Cuttable", str, bytes, list[Any])

_GREATEST = Decimal(10**MAX_DIGITS - 1)
_SAMPLES: dict[str, Sequence[Any]] = {
    "S": ("", "a", "b", "ab", "9", "10", "é"),
    "N": (*map(Decimal, ("0", "1", "-1", "2", "0.5", "1E-130")), _GREATEST, _GREATEST.copy_negate()),
    "B": (b"", b"a", b"b", b"\x00\xff"),
    "BOOL": (False, True),
    "NULL": (None,),
    "SS": ({"a"}, {"b"}, {"c"}, {"a", "b"}),
    "NS": ({Decimal(0)}, {Decimal(1)}, {Decimal("-0.5")}, {Decimal(1), _GREATEST}),
    "BS": ({b"a"}, {b"b"}, {b"\xff"}, {b"a", b"b"}),
    "L": ([], ["a"], ["b"], ["a", "a"], ["a", "b"], ["b", "a"]),
    "M": ({}, {"a": Decimal(0)}, {"a": Decimal(1)}, {"b": Decimal(0)}, {"a": Decimal(1), "b": Decimal(1)}),
}


class Law(Enum):
    """What a function must be."""

    APPLICABLE = "applicable to any of the samples"
    TOTAL = "total"
    PURE = "pure"
    STORABLE = "storable"
    COMMUTATIVE = "commutative"
    ASSOCIATIVE = "associative"
    IDEMPOTENT = "idempotent"


@dataclass(frozen=True, slots=True)
class Failure:
    """What a call came to that gave no value to go on with."""

    law: Law
    text: str


@dataclass(frozen=True, slots=True)
class Violation:
    """A counterexample: the inputs, and what each of the law's calls came to (a plain value or a `Failure`)."""

    law: Law
    inputs: tuple[Any, ...]
    results: tuple[Any, ...]
    name: str = "the function"

    @property
    def sentence(self) -> str:
        """The counterexample for a reader: ``first is not commutative: f('a', 'b') = 'a' but f('b', 'a') = 'b'``."""
        inputs = [_show(value) for value in self.inputs]
        calls = [call.format(*inputs) for call in _CALLS.get(self.law, ["f({0}, {1})"])]
        parts = [f"{call} {_show_result(result)}" for call, result in zip(calls, self.results, strict=True)]
        return f"{self.name} is not {self.law.value}: {' but '.join(parts)}"


_CALLS = {
    Law.COMMUTATIVE: ["f({0}, {1})", "f({1}, {0})"],
    Law.ASSOCIATIVE: ["f(f({0}, {1}), {2})", "f({0}, f({1}, {2}))"],
    Law.IDEMPOTENT: ["f({0}, {0})"],
}

Outcome = Value | Failure
Call = Callable[[Value, Value], Outcome]
Inputs = tuple[Value, ...]
Results = tuple[Outcome, ...]
Breaks = Callable[..., Results | None]  # what a law's calls came to, where the inputs break it


def samples(*types: str) -> list[Any]:
    """Return values that trip careless functions, of these types (``"S"``, ``"NS"``...) or of all that DynamoDB has."""
    return [deepcopy(value) for letter in types or _SAMPLES for value in _SAMPLES[letter]]


def check_laws(function: Callable[[Any, Any], Any], samples: Iterable[Any]) -> list[Violation]:
    """Return one small counterexample for each law that the function breaks; none where it keeps them all.

    ValueError where there is no sample, or one that DynamoDB cannot hold.
    """
    call = partial(_call, function)
    types = _by_type(samples)
    accepted = [values for values in types if not _refuses(call, values)]
    if accepted:
        found = [_first_violation(law, call, accepted) for law in _CHECKS]
        violations = [violation for violation in found if violation]
    else:
        pair = types[0][0], types[0][-1]
        violations = [_violation(Law.APPLICABLE, pair, (call(*pair),))]
    return [replace(violation, name=_name_of(function)) for violation in violations]


def _name_of(function: Callable[[Any, Any], Any]) -> str:
    return str(getattr(function, "__name__", "the function"))


def _by_type(samples: Iterable[Any]) -> list[list[Value]]:
    types: dict[str, list[Value]] = {}
    for index, sample in enumerate(samples):
        try:
            value = from_plain(sample)
        except ValueError as error:
            raise ValueError(f"samples[{index}]: {error}") from error
        types.setdefault(type_letter(value), []).append(value)
    if not types:
        raise ValueError("no samples: nothing would be checked")
    return list(types.values())


def _refuses(call: Call, values: list[Value]) -> bool:
    different = permutations(values, 2) if len(values) > 1 else [(*values, *values)]
    return all(_fails(call, Law.TOTAL, a, b) for a, b in different)


def _call(function: Callable[[Any, Any], Any], left: Value, right: Value) -> Outcome:
    inputs = plain(left), plain(right)
    try:
        result = function(*inputs)
    except Exception as error:  # noqa: BLE001 - whatever a user's function raises
        return Failure(Law.TOTAL, f"raises {format_exception_only(error)[-1].strip()}")
    if inputs != (plain(left), plain(right)):
        return Failure(Law.PURE, "changes its inputs")
    try:
        return from_plain(result)
    except ValueError as error:
        return Failure(Law.STORABLE, f"returns what DynamoDB cannot hold: {error}")


# One check for each law; what a pair's own failure says is left to the laws of failures


def _fails(call: Call, law: Law, left: Value, right: Value) -> Results | None:
    outcome = call(left, right)
    return (outcome,) if isinstance(outcome, Failure) and outcome.law is law else None


def _fails_to_commute(call: Call, left: Value, right: Value) -> Results | None:
    one, other = call(left, right), call(right, left)
    return None if one == other or _has_failure(one, other) else (one, other)


def _fails_to_associate(call: Call, first: Value, second: Value, third: Value) -> Results | None:
    early, late = call(first, second), call(second, third)
    if isinstance(early, Failure) or isinstance(late, Failure):
        return None
    one, other = call(early, third), call(first, late)
    return None if one == other and not _has_failure(one, other) else (one, other)


def _fails_to_repeat(call: Call, value: Value) -> Results | None:
    outcome = call(value, value)
    return None if outcome == value or _has_failure(outcome) else (outcome,)


def _has_failure(*outcomes: Outcome) -> bool:
    return any(isinstance(outcome, Failure) for outcome in outcomes)


_CHECKS: dict[Law, tuple[int, Breaks]] = {
    Law.TOTAL: (2, lambda call, a, b: _fails(call, Law.TOTAL, a, b)),
    Law.PURE: (2, lambda call, a, b: _fails(call, Law.PURE, a, b)),
    Law.STORABLE: (2, lambda call, a, b: _fails(call, Law.STORABLE, a, b)),
    Law.COMMUTATIVE: (2, _fails_to_commute),
    Law.ASSOCIATIVE: (3, _fails_to_associate),
    Law.IDEMPOTENT: (1, _fails_to_repeat),
}


# The smallest counterexample


def _first_violation(law: Law, call: Call, types: list[list[Value]]) -> Violation | None:
    arity, check = _CHECKS[law]
    breaks = partial(check, call)
    for values in types:
        for inputs in sorted(product(values, repeat=arity), key=_size):
            if results := breaks(*inputs):
                return _violation(law, *_shrink(inputs, results, breaks))
    return None


def _violation(law: Law, inputs: Inputs, results: Results) -> Violation:
    return Violation(
        law,
        tuple(plain(value) for value in inputs),
        tuple(result if isinstance(result, Failure) else plain(result) for result in results),
    )


def _shrink(inputs: Inputs, results: Results, breaks: Breaks) -> tuple[Inputs, Results]:
    while found := next(((less, after) for less in _smaller(inputs) if (after := breaks(*less))), None):
        inputs, results = found
    return inputs, results


def _smaller(inputs: Inputs) -> Iterator[Inputs]:
    """Yield the inputs with one of them smaller, and of the same type."""
    for index, value in enumerate(inputs):
        for part in map(from_plain, _parts(plain(value))):
            candidate = (*inputs[:index], part, *inputs[index + 1 :])
            if _size(candidate) < _size(inputs):
                yield candidate


def _size(inputs: Inputs) -> tuple[int, list[str]]:
    texts = [canonical_text(value) for value in inputs]
    return sum(map(len, texts)), texts


def _parts(value: Any) -> Iterator[Any]:  # noqa: ANN401 - any plain value
    match value:
        case str():
            yield from _cuts(value)
        case bytes():
            yield from _cuts(value)
        case Decimal():
            digits = f"{value.copy_abs():f}"
            yield from map(Decimal, ("0", "1", "-1", digits, digits[:-1] or "0"))
        case set():
            yield from (set(cut) for cut in _cuts(sorted(value)) if cut)
        case list():
            yield from _cuts(value)
            for index, element in enumerate(value):
                yield from ([*value[:index], part, *value[index + 1 :]] for part in _parts(element))
        case dict():
            yield from map(dict, _cuts(list(value.items())))
            for name, member in value.items():
                yield from ({**value, name: part} for part in _parts(member))


def _cuts(whole: Cuttable) -> Iterator[Cuttable]:
    """Yield both halves, then the whole without each of its elements."""
    middle = len(whole) // 2
    yield whole[:middle]
    yield whole[middle:]
    for index in range(len(whole)):
        yield whole[:index] + whole[index + 1 :]


def _show_result(result: Any) -> str:  # noqa: ANN401 - a plain value or a Failure
    return result.text if isinstance(result, Failure) else f"= {_show(result)}"


def _show(value: Any) -> str:  # noqa: ANN401 - any plain value
    match value:
        case Decimal():
            return str(value)
        case set():
            return f"{{{', '.join(map(_show, sorted(value)))}}}"
        case list():
            return f"[{', '.join(map(_show, value))}]"
        case dict():
            members = (f"{name!r}: {_show(member)}" for name, member in value.items())
            return f"{{{', '.join(members)}}}"
        case _:
            return repr(value)
