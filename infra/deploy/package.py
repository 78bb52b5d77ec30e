"""What the package says of its deployment: the policy that it holds knows table and Regions."""

import tomllib
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from infra.deploy.errors import DeployError

POLICY = "infra/policy.toml"


@dataclass(frozen=True, slots=True)
class Package:
    """A package, and the table and Regions of the policy in it; `key` names partition key and sort key, if any."""

    path: Path
    code_sha256: str
    table: str
    key: tuple[str, ...]
    regions: tuple[str, ...]


def read(path: Path) -> Package:
    """Read a package that ``make package`` made, whose policy was tried there; DeployError where it is none."""
    try:
        content = path.read_bytes()
        with ZipFile(path) as archive:
            table = tomllib.loads(archive.read(POLICY).decode())["table"]
    except FileNotFoundError as error:
        raise DeployError(f"{path}: is missing; make package makes it") from error
    except (OSError, BadZipFile, KeyError, ValueError) as error:
        raise DeployError(f"{path}: is no package with a policy: {error}") from error
    keys = (table["partition_key"], table.get("sort_key"))
    digest = b64encode(sha256(content).digest()).decode()
    return Package(path, digest, table["name"], tuple(filter(None, keys)), tuple(table["regions"]))
