"""What the package says of its deployment: the policy that it holds knows table and Regions."""

import tomllib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from infra.deploy.errors import DeployError

POLICY, APPSYNC_POLICY = "infra/policy.toml", "infra/appsync/policy.toml"
NO_TABLE: Mapping[str, Any] = {"name": "", "regions": ()}


@dataclass(frozen=True, slots=True)
class Package:
    """A package, and the table and Regions of the policies in it; `key` names partition key and sort key, if any."""

    path: Path
    code_sha256: str
    table: str
    key: tuple[str, ...]
    regions: tuple[str, ...]
    appsync_table: str = ""
    appsync_regions: tuple[str, ...] = ()
    """Where the policy of AppSync's table allows it; nowhere where there is none."""


def read(path: Path) -> Package:
    """Read a package that ``make package`` made, whose policy was tried there; DeployError where it is none."""
    try:
        content = path.read_bytes()
        with ZipFile(path) as archive:
            table = _table(archive, POLICY)
            appsync = _table(archive, APPSYNC_POLICY) if APPSYNC_POLICY in archive.namelist() else NO_TABLE
    except FileNotFoundError as error:
        raise DeployError(f"{path}: is missing; make package makes it") from error
    except (OSError, BadZipFile, KeyError, ValueError) as error:
        raise DeployError(f"{path}: is no package with a policy: {error}") from error
    keys = (table["partition_key"], table["sort_key"])
    digest = b64encode(sha256(content).digest()).decode()
    return Package(
        path,
        digest,
        table["name"],
        tuple(filter(None, keys)),
        tuple(table["regions"]),
        appsync["name"],
        tuple(appsync["regions"]),
    )


def _table(archive: ZipFile, policy: str) -> Mapping[str, Any]:
    """Return what a policy file says of its table; KeyError where it lacks what every policy has."""
    table = tomllib.loads(archive.read(policy).decode())["table"]
    return {"sort_key": table.get("sort_key"), **{name: table[name] for name in ("name", "partition_key", "regions")}}


def demand_appsync(package: Package) -> None:
    """Raise DeployError where AppSync would write the global table, or its policy lacks a Region of the deployment."""
    if package.appsync_table == package.table:
        raise DeployError(f"{APPSYNC_POLICY} names {package.table}: AppSync must not write the global table")
    if missing := [region for region in package.regions if region not in package.appsync_regions]:
        allowed = ", ".join(package.appsync_regions) or "none"
        raise DeployError(
            f"{APPSYNC_POLICY} lacks {', '.join(missing)}: AppSync goes to every Region; it has {allowed}"
        )
