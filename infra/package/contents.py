"""What the package holds: the functions and their core, the policy file, and of the dependencies what they use.

botocore brings the models of every AWS service, most of its size. Only those below are ever opened by a function:
botocore looks for a service by the name that a client is made with, and reads no other.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from infra.package.errors import PackageError
from infra.package.wheels import files

PROJECT = ("handlers", "reconciler")
SERVICES = frozenset({"dynamodb", "dynamodbstreams", "events", "sqs", "stepfunctions", "sts"})
"""The services that clients are made of; sts is botocore's own, for credentials of a role."""

_MODEL = re.compile(r"(?:boto3|botocore)/data/([^/]+)/.*")
_INSTALLERS_OWN = re.compile(r"[^/]+\.dist-info/(?:RECORD|INSTALLER|REQUESTED|direct_url\.json)")
_UNUSED = re.compile(r"boto3/examples/.*|.*/examples-1\.json")


def contents(
    root: Path, policies: Mapping[str, Path], wheels: Iterable[Path], extra: Iterable[Path] = ()
) -> Mapping[str, bytes]:
    """Return every file of the package by its name there.

    `policies` are policy files by their names there. `extra` are modules, and folders of modules, that custom policies
    name; each goes to the top, beside the others. PackageError where a file cannot be read, or two come by one name.
    """
    found: dict[str, bytes] = {}
    sources = [*(root / name for name in PROJECT), *extra]
    _add(found, (named for source in sources for named in modules(source)))
    _add(found, ((name, _read(path)) for name, path in policies.items()))
    for wheel in wheels:
        _add(found, (named for named in files(wheel) if is_used(named[0])))
    return found


def is_used(name: str) -> bool:
    """Say whether a dependency's file is of use to a function: no other service's model, no installer's notes."""
    model = _MODEL.fullmatch(name)
    if model and model[1] not in SERVICES:
        return False
    return not (_INSTALLERS_OWN.fullmatch(name) or _UNUSED.fullmatch(name))


def modules(source: Path) -> Iterator[tuple[str, bytes]]:
    """Yield a module, or the modules of a folder and the folders in it, by their names in the package."""
    if source.is_file():
        yield source.name, _read(source)
        return
    paths = [path for path in sorted(source.rglob("*.py")) if "__pycache__" not in path.parts]
    if not paths:
        raise PackageError(f"{source}: has no Python module")
    for path in paths:
        yield path.relative_to(source.parent).as_posix(), _read(path)


def _add(found: dict[str, bytes], named: Iterable[tuple[str, bytes]]) -> None:
    for name, content in named:
        if name in found:
            raise PackageError(f"{name}: comes into the package twice")
        found[name] = content


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PackageError(f"{path}: cannot be read: {error.strerror}") from error
