"""What cannot be packaged is told in one line, and whatever package was there before stays."""

import sys

import pytest
from click.testing import CliRunner

from infra.package import wheels
from infra.package.__main__ import main
from infra.package.build import LOCK, ROOT, WHEELS, Recipe, build
from infra.package.contents import contents
from infra.package.errors import PackageError
from infra.package.wheels import LAMBDA, Target

POLICY = '[table]\nname = "T"\npartition_key = "Id"\nregions = ["us-east-1"]\n[attributes]\n'


@pytest.fixture
def policy(tmp_path):
    """A policy file that a test writes."""

    def written(attributes):
        path = tmp_path / "policy.toml"
        path.write_text(POLICY + attributes)
        return path

    return written


@pytest.fixture
def output(tmp_path):
    """A package of yesterday."""
    path = tmp_path / "function.zip"
    path.write_bytes(b"yesterday's")
    return path


def refused(output, *arguments):
    """Return the one line that says why there is no package."""
    done = CliRunner().invoke(main, ["--output", str(output), *map(str, arguments)])
    assert done.exit_code == 2
    assert output.read_bytes() == b"yesterday's"
    assert [path.name for path in output.parent.iterdir() if path.name.startswith("function.zip")] == ["function.zip"]
    (line,) = done.output.splitlines()
    return line.removeprefix("Error: ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--policy", "nope.toml"], "nope.toml: cannot be read: No such file or directory"),
        (["--include", "nope"], "nope: has no Python module"),
        (["--include", ROOT / "handlers"], "handlers/__init__.py: comes into the package twice"),
        (["--bytecode-by", "no-python"], "no-python: cannot be run: No such file or directory"),
        (["--bytecode-by", "false"], "false: failed without a word"),
        (
            ["--bytecode-by", sys.executable, "--python", "3.99"],
            f"{sys.executable}: is Python {sys.version_info[0]}.{sys.version_info[1]}; the functions run on 3.99",
        ),
    ],
)
def test_a_wrong_option_is_named(output, arguments, expected, monkeypatch):
    """Each is told by its name and what is wrong with it."""
    monkeypatch.setattr(wheels, "_fetch", lambda lock, target, folder: folder.mkdir())
    assert refused(output, *arguments) == expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ('Data = "newest"', "policy.toml: attributes.Data: unknown policy 'newest'; expected one of "),
        (
            'Data = { policy = "custom", function = "my_merges:longest" }',
            "policy.toml: attributes.Data.function: cannot import 'my_merges': ",
        ),
    ],
)
def test_a_policy_that_the_package_cannot_read_is_refused(output, policy, attributes, expected):
    """The package's own code reads it: what is not in the package cannot be imported, whatever lies elsewhere."""
    assert expected in refused(output, "--policy", policy(attributes))


def test_what_a_policy_names_comes_along(tmp_path, policy):
    """A module with custom functions is put beside the others, and found there."""
    (tmp_path / "my_merges.py").write_text("def longest(a, b):\n    return max(a, b, key=lambda x: (len(x), x))\n")
    custom = policy('Data = { policy = "custom", function = "my_merges:longest" }')
    package = build(tmp_path / "function.zip", Recipe(policy=custom, include=(tmp_path / "my_merges.py",)))
    assert package.files > 1


def test_an_unreachable_index_is_told_in_pips_words(tmp_path, monkeypatch):
    """One line, without pip's stack."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(PackageError) as raised:
        wheels.wheels(LOCK, LAMBDA, tmp_path / "wheels")
    assert "No matching distribution found for aws-lambda-powertools" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert list((tmp_path / "wheels").iterdir()) == []


def test_a_wheel_that_is_not_pinned_is_refused(tmp_path, monkeypatch):
    """Whatever lies in the cache by now, only pinned bytes are shipped."""

    def fetch(lock, target, folder):
        folder.mkdir(parents=True)
        (folder / "six.whl").write_bytes(b"something else")

    monkeypatch.setattr(wheels, "_fetch", fetch)
    with pytest.raises(PackageError, match=r"six\.whl: is not pinned in "):
        wheels.wheels(LOCK, LAMBDA, tmp_path)


def test_a_wheel_that_is_none_is_refused(tmp_path):
    """Its name stands in the line."""
    (tmp_path / "six.whl").write_bytes(b"not a zip")
    with pytest.raises(PackageError, match=r"six\.whl: is no wheel"):
        contents(ROOT, {}, [tmp_path / "six.whl"])


def test_another_target_has_wheels_of_its_own(package):
    """What is fetched for one target is not taken for another."""
    arm = wheels.wheels(LOCK, LAMBDA, WHEELS)
    assert {wheel.parent for wheel in arm} != {
        wheel.parent for wheel in wheels.wheels(LOCK, Target("3.13", "x86_64"), WHEELS)
    }
    assert len(arm) == 10
