"""What is wrong with a policy: functions that break the laws of `join`, and changes that no deployment may make."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.laws import check_laws, samples
from reconciler.policy import AttributePolicy, Kind, Policy, escape


@dataclass(frozen=True, slots=True)
class BrokenLaw:
    """A law that an attribute's function breaks, with a counterexample as a sentence."""

    attribute: str
    function: str
    law: str
    sentence: str


TYPES = ("S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M")


def broken_laws(policy: Policy, types: Sequence[str] = ()) -> Iterator[BrokenLaw]:
    """Yield each law that some custom function breaks, for values of these types (none: of all)."""
    for path, attribute in attributes_of(policy.attributes):
        if attribute.function is not None:
            for violation in check_laws(attribute.function, samples(*types)):
                yield BrokenLaw(path, attribute.function_name, violation.law.name.lower(), violation.sentence)


def attributes_of(attributes: Mapping[str, AttributePolicy], prefix: str = "") -> Iterator[tuple[str, AttributePolicy]]:
    """Yield every attribute and every map member that the file names, by path."""
    for name, attribute in attributes.items():
        is_path = prefix or attribute.kind is Kind.MAP
        path = f"{prefix}{escape(name) if is_path else name}"
        yield path, attribute
        yield from attributes_of(attribute.members, f"{path}/")


def dangers(policy: Policy, present: Policy) -> Iterator[str]:
    """Yield what no deployment may change from `present` to `policy`: items written under it could not be read."""
    if policy.key_names != present.key_names:
        yield f"the key is {list(policy.key_names)}, and {list(present.key_names)} in the other policy"
    shorter = min(len(policy.regions), len(present.regions))
    if policy.regions[:shorter] != present.regions[:shorter]:
        yield (
            f"regions are {list(policy.regions)}, and {list(present.regions)} in the other policy: "
            "the order is data, and may only be appended to"
        )
    elif len(policy.regions) < len(present.regions):
        yield f"regions lack {list(present.regions[shorter:])}, whose writes items may name: only append"
