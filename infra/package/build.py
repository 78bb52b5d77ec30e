"""The package, made from its parts; nothing takes its name before the finished package has been tried."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.package import archive, trial
from infra.package.bytecode import compiled
from infra.package.contents import contents
from infra.package.errors import PackageError
from infra.package.wheels import LAMBDA, Target, wheels

ROOT = Path(__file__).parents[2]
LOCK, WHEELS = ROOT / "infra/lock/runtime.txt", ROOT / "build/wheels"
POLICY, APPSYNC_POLICY = "infra/policy.toml", "infra/appsync/policy.toml"
LAMBDA_LIMIT = 250 * 1024 * 1024
"""What a function may measure unzipped."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a package is made of, beside the project and its lock file."""

    policy: Path = ROOT / POLICY
    appsync_policy: Path = ROOT / APPSYNC_POLICY
    include: tuple[Path, ...] = ()
    """Modules, and folders of them, that the policy names."""
    target: Target = LAMBDA
    bytecode_by: str = ""
    """The interpreter that compiles the modules; none where empty."""
    stored: bool = False
    """Whether files are stored as they are, not compressed."""

    @property
    def policies(self) -> Mapping[str, Path]:
        """The policy files by their names in the package: the templates' defaults of POLICY_FILE."""
        return {POLICY: self.policy, APPSYNC_POLICY: self.appsync_policy}


@dataclass(frozen=True, slots=True)
class Package:
    """What was made; `code_sha256` is what Lambda calls a function's code that was made of it."""

    path: Path
    size: int
    unzipped: int
    files: int
    sha256: str
    code_sha256: str
    import_seconds: Mapping[str, float]
    """By function, as this machine and this Python take them."""


def build(output: Path, recipe: Recipe = Recipe()) -> Package:
    """Write the package; PackageError says why there is none, and what was there before stays."""
    files = _files(recipe)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=output.name, dir=output.parent) as name:
            begun, folder = Path(name) / output.name, Path(name) / "unpacked"
            archive.write(begun, files, stored=recipe.stored)
            for policy in recipe.policies.values():
                trial.load_policy(begun, policy)
            seconds = trial.import_seconds(begun, folder)
            begun.replace(output)
    except OSError as error:
        raise PackageError(f"{output}: cannot be written: {error.strerror}") from error
    return _described(output, files, seconds)


def _files(recipe: Recipe) -> Mapping[str, bytes]:
    files = dict(contents(ROOT, recipe.policies, wheels(LOCK, recipe.target, WHEELS), recipe.include))
    if recipe.bytecode_by:
        files |= compiled(files, recipe.bytecode_by, recipe.target.python)
    unzipped = sum(map(len, files.values()))
    if unzipped > LAMBDA_LIMIT:
        raise PackageError(f"the package measures {unzipped:,} bytes; Lambda takes {LAMBDA_LIMIT:,}")
    return files


def _described(path: Path, files: Mapping[str, bytes], seconds: Mapping[str, float]) -> Package:
    content = path.read_bytes()
    digest = sha256(content)
    code = b64encode(digest.digest()).decode()
    unzipped = sum(map(len, files.values()))
    return Package(path, len(content), unzipped, len(files), digest.hexdigest(), code, seconds)
