"""The law checker: it lets good merges pass, and shows a small counterexample of each law that a bad one breaks."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.laws import Failure, Law, Violation, check_laws, samples
from reconciler.policy import type_letter
from reconciler.wire import from_plain


def longest(left: str, right: str) -> str:
    """Keep the longer text, of equally long ones the later in the alphabet."""
    return max(left, right, key=lambda text: (len(text), text))


def merged_by_name(left: dict[str, Decimal], right: dict[str, Decimal]) -> dict[str, Decimal]:
    """Keep the greater number of each name."""
    names = left.keys() | right.keys()
    return {name: max(side[name] for side in (left, right) if name in side) for name in names}


def sorted_union(left: list[Any], right: list[Any]) -> list[Any]:
    """Keep every element once, sorted."""
    return sorted({*left, *right})


def sentences(function: Callable[[Any, Any], Any], values: list[Any]) -> list[str]:
    """Return what a reader is told."""
    return [violation.sentence for violation in check_laws(function, values)]


@pytest.mark.parametrize(
    ("function", "values"),
    [
        pytest.param(longest, samples("S"), id="text"),
        pytest.param(max, samples("S", "N", "B", "BOOL"), id="max"),
        pytest.param(min, [3, Decimal("0.5"), -7], id="own samples"),
        pytest.param(merged_by_name, samples("M"), id="maps"),
        pytest.param(set.union, samples("SS", "NS", "BS"), id="sets"),
        pytest.param(lambda left, _right: left, samples("NULL"), id="one value"),
        pytest.param(lambda left, right: left if left == right else None, samples(), id="all types"),
    ],
)
def test_a_good_function_passes(function: Callable[[Any, Any], Any], values: list[Any]) -> None:
    """What keeps the laws has no counterexample."""
    assert check_laws(function, values) == []


def test_a_type_that_always_raises_is_not_held_against_a_function() -> None:
    """A merge of maps raises on text, numbers and the rest, and is judged on maps alone."""
    assert check_laws(merged_by_name, samples()) == []
    (sentence,) = sentences(merged_by_name, samples("S", "N"))
    assert sentence == (
        "merged_by_name is not applicable to any of the samples: "
        "f('', 'é') raises AttributeError: 'str' object has no attribute 'keys'"
    )


def test_equal_values_alone_do_not_make_a_type_accepted() -> None:
    """A short cut for equal values answers before it looks at a type: only two different values tell."""

    def longest_but_quick(left: str, right: str) -> str:
        return left if left == right else longest(left, right.strip())

    assert check_laws(longest_but_quick, samples("S", "N", "L")) == []


def test_one_sample_of_a_type_is_tried_with_itself() -> None:
    """A type with a single sample is judged all the same."""
    assert sentences(lambda left, right: left + right, ["x"]) == ["<lambda> is not idempotent: f('x', 'x') = 'xx'"]


UNSTORABLE = "what DynamoDB cannot hold"


def first(left: Any, _right: Any) -> Any:
    """Break commutativity."""
    return left


def middle(left: Decimal, right: Decimal) -> Decimal:
    """Break associativity."""
    return (left + right) / 2


def nearer_to_zero(left: Decimal, right: Decimal) -> Decimal:
    """Break idempotence."""
    return min(abs(left), abs(right))


def share(left: Decimal, right: Decimal) -> float:
    """Return what DynamoDB cannot hold."""
    return float(max(left, right))


def grown(left: list[Any], right: list[Any]) -> list[Any]:
    """Change an input, though not what it returns."""
    result = sorted_union(left, right)
    left.extend(right)
    return result


def by_initial(left: str, right: str) -> str:
    """Raise for some values of a type."""
    return max(left, right, key=lambda text: (text[0], text))


def both(left: str | list[str], right: str | list[str]) -> str | list[str]:
    """Return a type that cannot be merged again."""
    if isinstance(left, list) or isinstance(right, list):
        raise TypeError("a list")
    return left if left == right else sorted([left, right])


@pytest.mark.parametrize(
    ("function", "values", "expected"),
    [
        (first, ["b", "a"], "first is not commutative: f('', 'b') = '' but f('b', '') = 'b'"),
        (middle, [0, 4, 8], "middle is not associative: f(f(0, 0), 1) = 0.5 but f(0, f(0, 1)) = 0.25"),
        (nearer_to_zero, [-25, 3], "nearer_to_zero is not idempotent: f(-1, -1) = 1"),
        (
            share,
            [1, 2],
            f"share is not storable: f(0, 0) returns {UNSTORABLE}: a float is not exact; use int or Decimal",
        ),
        (grown, samples("L"), "grown is not pure: f([], ['']) changes its inputs"),
        (by_initial, samples("S"), "by_initial is not total: f('', '') raises IndexError: string index out of range"),
        (
            both,
            ["a", "b"],
            "both is not associative: f(f('', ''), 'b') = ['', 'b'] but f('', f('', 'b')) raises TypeError: a list",
        ),
    ],
)
def test_a_bad_function_gets_its_counterexample(
    function: Callable[[Any, Any], Any], values: list[Any], expected: str
) -> None:
    """One law broken, one sentence: which law, which inputs, which results."""
    assert sentences(function, values) == [expected]


def test_each_broken_law_is_named_once() -> None:
    """A function that breaks three laws, over several types, has three counterexamples."""
    violations = check_laws(lambda left, right: left + right + right, samples("S", "B", "L"))
    assert [violation.law for violation in violations] == [Law.COMMUTATIVE, Law.ASSOCIATIVE, Law.IDEMPOTENT]


def test_a_violation_is_a_value() -> None:
    """Who wants more than the sentence has the inputs and the results, as plain values."""
    assert check_laws(first, ["b", "a"]) == [Violation(Law.COMMUTATIVE, ("", "b"), ("", "b"), "first")]
    (violation,) = check_laws(by_initial, ["b", "a", ""])
    assert violation.inputs == ("", "")
    assert violation.results == (Failure(Law.TOTAL, "raises IndexError: string index out of range"),)


def test_true_is_not_one() -> None:
    """Python holds True for equal to 1; DynamoDB has two types, so a function that mixes them up is found out."""
    assert sentences(lambda left, right: int(left or right), [True, False]) == [
        "<lambda> is not idempotent: f(True, True) = 1",
    ]


def test_a_function_without_a_name_has_a_sentence() -> None:
    """A partial function has no name of its own."""
    assert sentences(partial(first), ["a", "b"]) == [
        "the function is not commutative: f('', 'b') = '' but f('b', '') = 'b'",
    ]


def test_a_function_that_answers_differently_each_time_is_found_out() -> None:
    """A function that counts its calls keeps no law, and does not confuse the checker."""
    calls = count()
    found = check_laws(lambda _left, _right: next(calls), [1, 2])
    assert {violation.law for violation in found} == {Law.COMMUTATIVE, Law.ASSOCIATIVE, Law.IDEMPOTENT}
    assert all(violation.sentence for violation in found)


@pytest.mark.parametrize(
    ("large", "small", "other"),
    [
        ("some long text", "som", ""),
        (b"some long bytes", b"som", b""),
        ({"red", "green", "blue", "grey"}, {"green", "grey", "red"}, {"x"}),
        (["some", ["long"], "list", Decimal(5)], [[], "", Decimal(0)], []),
        (
            {"a": "long", "b": ["of", "things"], "c": Decimal("-1.25"), "map": None},
            {"b": [], "c": Decimal(0), "map": None},
            {},
        ),
    ],
)
def test_a_counterexample_is_shrunk(large: Any, small: Any, other: Any) -> None:
    """However large the samples, what is reported is small, all the way down."""
    (violation,) = check_laws(lambda left, _right: left if len(left) < 3 else 1 / 0, [large, other])
    assert violation.inputs[0] == small


@pytest.mark.parametrize(
    ("number", "breaks", "small"),
    [
        ("98765.4321", lambda number: number > 1, "9"),
        ("98765.4321", lambda number: number > 10, "98"),
        ("-98765", lambda number: number < 0, "-1"),
        ("-98765", lambda number: abs(number) > 1, "9"),
        ("0.987", lambda number: 0 < number < 1, "0.9"),
        ("1E-130", lambda number: 0 < number < 1, "1E-130"),
    ],
)
def test_a_number_is_shrunk(number: str, breaks: Callable[[Decimal], bool], small: str) -> None:
    """A number loses its digits, its fraction and its sign where the law stays broken without them."""
    (violation,) = check_laws(lambda left, _right: 1 / 0 if breaks(left) else left, [0, Decimal(number)])
    assert violation.inputs[0] == Decimal(small)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"b", "a"}, "{'a', 'b'}"),
        ({Decimal(10), Decimal(9)}, "{9, 10}"),
        ([b"x", None, True], "[b'x', None, True]"),
        ({"b": Decimal("0.5"), "a": {}}, "{'b': 0.5, 'a': {}}"),
    ],
)
def test_a_sentence_shows_values_as_python_does(value: Any, shown: str) -> None:
    """Values read as in Python, but numbers without `Decimal`, and sets in one order in every process."""
    assert Violation(Law.IDEMPOTENT, (value,), (value,), "it").sentence == (
        f"it is not idempotent: f({shown}, {shown}) = {shown}"
    )


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ([], "no samples: nothing would be checked"),
        (["a", 0.5], r"samples\[1\]: a float is not exact; use int or Decimal"),
    ],
)
def test_samples_that_cannot_be_used_are_an_error(values: list[Any], problem: str) -> None:
    """A check that checks nothing must not pass, and a sample must be a value that an item can have."""
    with pytest.raises(ValueError, match=f"^{problem}$"):
        check_laws(first, values)


def test_samples_cover_every_type() -> None:
    """There are samples of all ten types, numbers to 38 digits among them, and several of each but null."""
    letters = [type_letter(from_plain(value)) for value in samples()]
    assert {letter for letter in letters if letters.count(letter) > 1} == {
        *("S", "N", "B", "BOOL", "SS", "NS", "BS", "L", "M")
    }
    assert letters.count("NULL") == 1
    assert Decimal("-" + 38 * "9") in samples("N")


def test_samples_are_the_callers_own() -> None:
    """Whoever changes a sample changes it for nobody else."""
    samples("L")[0].append("changed")
    assert samples("L")[0] == []


@given(st.lists(st.text() | st.binary() | st.booleans() | st.none() | st.integers(-(10**37), 10**37), min_size=1))
def test_any_samples_give_a_true_counterexample(values: list[Any]) -> None:
    """Whatever the samples, what is reported is really so."""
    for violation in check_laws(first, values[:6]):
        left, right = violation.inputs
        assert (first(left, right), first(right, left)) == violation.results
        assert from_plain(left) != from_plain(right)
