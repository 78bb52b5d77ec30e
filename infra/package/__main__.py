"""``python -m infra.package``: make the functions' package, and say what it is."""

import platform
from pathlib import Path
from typing import Any

import click

from infra.package.build import APPSYNC_POLICY, POLICY, ROOT, Package, Recipe, build
from infra.package.errors import PackageError
from infra.package.wheels import PLATFORMS, Target

FILE = click.Path(path_type=Path)


class OneLineError(click.ClickException):
    """No package was made; one line says why."""

    exit_code = 2


@click.command
@click.option("--policy", type=FILE, default=ROOT / POLICY, help=f"The policy file; {POLICY}.")
@click.option("--appsync-policy", type=FILE, default=ROOT / APPSYNC_POLICY, help=f"For AppSync; {APPSYNC_POLICY}.")
@click.option("--include", type=FILE, multiple=True, help="A module, or a folder of them, that the policy names.")
@click.option("--architecture", type=click.Choice(list(PLATFORMS)), default="arm64", help="As in worker.yaml; arm64.")
@click.option("--python", default="3.13", help="The functions' Python, as in worker.yaml; 3.13.")
@click.option("--bytecode-by", default="", help="A Python of that version: functions start in half the time.")
@click.option("--stored", is_flag=True, help="Do not compress: the same bytes whatever zlib this Python has.")
@click.option("--output", type=FILE, default=ROOT / "build/function.zip", help="Where to; build/function.zip.")
def main(output: Path, architecture: str, python: str, **rest: Any) -> None:  # noqa: ANN401 - the recipe's own fields
    """Make the functions' package: the same bytes from the same files; exit status 2 says why there is none."""
    try:
        package = build(output, Recipe(target=Target(python, architecture), **rest))
    except PackageError as error:
        raise OneLineError(str(error)) from error
    _tell(package)


def _tell(package: Package) -> None:
    click.echo(f"{package.path}: {package.size:,} bytes, {package.unzipped:,} unzipped, {package.files} files")
    click.echo(f"sha256 {package.sha256}")
    click.echo(f"CodeSha256 {package.code_sha256}")
    for function, seconds in package.import_seconds.items():
        click.echo(f"{function}: imported in {seconds:.2f} s by Python {platform.python_version()} here")


if __name__ == "__main__":
    main()
