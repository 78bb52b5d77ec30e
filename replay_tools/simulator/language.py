"""The mini-language in which histories are written, printed and read again; one step a line, or between bars.

A: x Data=v1 Balance+5 Tags+{a,b} Tags-{c} ~Note #k1     a request to Region A, with its key; ~ removes
A: x Data=v1 & y Balance+1 #k2                           a transaction
A: x delete #k3 @-250 if=4                               @: the client's own time; if: ExpectedVersion
A: x Data=v2 #k4 !after                                  dies after its write; !before it; !echo: the answer is lost
A: x Data=v2 #k4 (A: x Data=v3 #k5 | B>A x)              in brackets: between its read and its write
A>B x       A>B                                          what is under way arrives: an item, or all
A works 3   A works 3 !before2   A works 3 !refused      the worker gets 3 records; dies before its 2nd effect;
A rewinds 2                                              the queue refuses; 2 records will be delivered again
cut A B     heal A B     wait 500     settle             partitions; milliseconds pass; all is done
A: x Data='f       A: x ~'Data     A: x gone             past the writer: a set, a removal, a hard delete
A sweeps                                                 TTL removes what has expired
"""

import re
from collections.abc import Iterable, Sequence

from replay_tools.simulator.steps import (
    REFUSAL,
    Ask,
    Cut,
    Deliver,
    Fault,
    Foreign,
    Heal,
    Request,
    Rewind,
    Scalar,
    Settle,
    Step,
    Sweep,
    Wait,
    When,
    Work,
)

_NAME = r"[A-Za-z][\w/]*"
_STEP = {
    "foreign": re.compile(rf"(\w+): (\w+) (?:gone|({_NAME})='(\S+)|~'({_NAME}))"),
    "request": re.compile(r"(\w+): (.*)"),
    "deliver": re.compile(r"(\w+)>(\w+)(?: (\w+))?"),
    "work": re.compile(r"(\w+) works (\d+)(?: !(\w+))?"),
    "rewind": re.compile(r"(\w+) rewinds (\d+)"),
    "partition": re.compile(r"(cut|heal) (\w+) (\w+)"),
    "wait": re.compile(r"wait (\d+)"),
    "sweep": re.compile(r"(\w+) sweeps"),
    "settle": re.compile(r"settle"),
}
_FAULT = re.compile(r"(before|after|echo)(\d*)")
_BRACKETS = re.compile(r"(.*?) \((.*)\)")
_SET, _ADD, _ELEMENTS = (
    re.compile(rf"({_NAME})=(.+)"),
    re.compile(rf"({_NAME})([+-]\d+)"),
    re.compile(rf"({_NAME})([+-]){{(.*)}}"),
)


def write(steps: Iterable[Step]) -> str:
    """Write a history, one step a line."""
    return "\n".join(map(write_step, steps))


def write_step(step: Step) -> str:  # noqa: C901, PLR0911 - one way out for each kind of step
    """Write one step."""
    match step:
        case Request():
            return _request(step)
        case Deliver(source, target, item):
            return f"{source}>{target}" + (f" {item}" if item else "")
        case Work(region, records, fault, meanwhile):
            return f"{region} works {records}{_fault(fault)}{_brackets(meanwhile)}"
        case Rewind(region, records):
            return f"{region} rewinds {records}"
        case Cut(one, other):
            return f"cut {one} {other}"
        case Heal(one, other):
            return f"heal {one} {other}"
        case Wait(ms):
            return f"wait {ms}"
        case Foreign(region, item, attribute, value):
            change = "gone" if attribute is None else f"~'{attribute}" if value is None else f"{attribute}='{value}"
            return f"{region}: {item} {change}"
        case Sweep(region):
            return f"{region} sweeps"
        case Settle():
            return "settle"


def read(text: str) -> list[Step]:
    """Read a history; ValueError shows the step that is none."""
    return [read_step(step) for step in map(str.strip, _split(text)) if step]


def read_step(text: str) -> Step:
    """Read one step; ValueError where it is none."""
    outer = text
    meanwhile: tuple[Step, ...] = ()
    if brackets := _BRACKETS.fullmatch(text):
        outer, meanwhile = brackets[1], tuple(read(brackets[2]))
    for kind, pattern in _STEP.items():
        if found := pattern.fullmatch(outer):
            return _step(kind, found.groups(), meanwhile)
    raise ValueError(f"no step: {text!r}")


def _split(text: str) -> list[str]:
    """Cut at line ends and bars, but not inside brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character in "|\n" and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _step(kind: str, groups: Sequence[str], meanwhile: tuple[Step, ...]) -> Step:  # noqa: PLR0911 - as above
    match kind, *groups:
        case "foreign", region, item, attribute, value, removed:
            return Foreign(region, item, attribute or removed, value)
        case "request", region, words:
            return _read_request(region, words, meanwhile)
        case "deliver", source, target, item:
            return Deliver(source, target, item)
        case "work", region, records, fault:
            return Work(region, int(records), _read_fault(fault), meanwhile)
        case "rewind", region, records:
            return Rewind(region, int(records))
        case "partition", verb, one, other:
            return Cut(one, other) if verb == "cut" else Heal(one, other)
        case "wait", ms:
            return Wait(int(ms))
        case "sweep", region:
            return Sweep(region)
        case _:
            return Settle()


def _request(request: Request) -> str:
    words = [" & ".join(map(_ask, request.asks)), f"#{request.key}"]
    if request.timestamp_ms is not None:
        words.append(f"@{request.timestamp_ms}")
    if request.expected_version is not None:
        words.append(f"if={request.expected_version}")
    return f"{request.region}: {' '.join(words)}{_fault(request.fault)}{_brackets(request.meanwhile)}"


def _ask(ask: Ask) -> str:
    words = [ask.item]
    words += [f"{name}={_scalar(value)}" for name, value in ask.sets]
    words += [f"~{name}" for name in ask.removes]
    words += [f"{name}{number:+d}" for name, number in ask.adds]
    words += [f"{name}+{_scalar(elements)}" for name, elements in ask.elements_added]
    words += [f"{name}-{_scalar(elements)}" for name, elements in ask.elements_removed]
    return " ".join([*words, "delete"] if ask.deletes else words)


def _scalar(value: Scalar) -> str:
    return f"{{{','.join(sorted(value))}}}" if isinstance(value, frozenset) else str(value)


def _fault(fault: Fault | None) -> str:
    if fault is None:
        return ""
    return " !refused" if fault.when is None else f" !{fault.when.value}{fault.effect if fault.effect > 1 else ''}"


def _brackets(steps: tuple[Step, ...]) -> str:
    return f" ({' | '.join(map(write_step, steps))})" if steps else ""


def _read_fault(text: str | None) -> Fault | None:
    if text is None:
        return None
    if text == "refused":
        return REFUSAL
    found = _FAULT.fullmatch(text)
    if not found:
        raise ValueError(f"no fault: {text!r}")
    return Fault(When(found[1]), int(found[2] or 1))


def _read_request(region: str, text: str, meanwhile: tuple[Step, ...]) -> Request:
    words = text.split(" ")
    options = {word[0]: word[1:] for word in words if word[0] in "#@!"}
    expected = next((word[3:] for word in words if word.startswith("if=")), None)
    asked = [word for word in words if word[0] not in "#@!" and not word.startswith("if=")]
    if "#" not in options:
        raise ValueError(f"a request without a key: {text!r}")
    return Request(
        region,
        tuple(_read_ask(ask.split()) for ask in " ".join(asked).split(" & ")),
        options["#"],
        int(options["@"]) if "@" in options else None,
        None if expected is None else int(expected),
        _read_fault(options.get("!")),
        meanwhile,
    )


def _read_ask(words: Sequence[str]) -> Ask:
    sets: list[tuple[str, Scalar]] = []
    adds: list[tuple[str, int]] = []
    added: list[tuple[str, frozenset[str]]] = []
    removed: list[tuple[str, frozenset[str]]] = []
    removes, deletes = [], False
    for word in words[1:]:
        if word == "delete":
            deletes = True
        elif word[0] == "~":
            removes.append(word[1:])
        elif found := _ELEMENTS.fullmatch(word):
            (added if found[2] == "+" else removed).append((found[1], _elements(found[3])))
        elif found := _ADD.fullmatch(word):
            adds.append((found[1], int(found[2])))
        elif found := _SET.fullmatch(word):
            sets.append((found[1], _read_scalar(found[2])))
        else:
            raise ValueError(f"no operation: {word!r}")
    return Ask(words[0], tuple(sets), tuple(removes), tuple(adds), tuple(added), tuple(removed), deletes)


def _read_scalar(text: str) -> Scalar:
    if text[0] == "{":
        return _elements(text[1:-1])
    return int(text) if text.lstrip("-").isdigit() else text


def _elements(text: str) -> frozenset[str]:
    return frozenset(text.split(","))
