"""Templates as CloudFormation gets them: SAM's own resources expanded, the package in a bucket."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cfnlint.decode.cfn_yaml import load  # type: ignore[import-untyped]
from samtranslator.translator.transform import transform  # type: ignore[import-untyped]

INFRA = Path(__file__).parents[1]


class _NoManagedPolicies:
    """Stands in for a look at IAM: no role of these templates has a managed policy."""

    def load(self) -> dict[str, str]:
        return {}


def read(name: str) -> dict[str, Any]:
    """Return one template of infra/ as plain data."""
    template: dict[str, Any] = json.loads(json.dumps(load(str(INFRA / name)), default=str))
    return template


def expanded(template: Mapping[str, Any], places: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return a SAM template as what CloudFormation makes of it; `places` are its files' in S3, by what it calls them.

    The translator asks botocore for the partition of AWS_DEFAULT_REGION, which has to be set.
    """
    text = json.dumps(template)
    for name, place in places.items():
        text = text.replace(json.dumps(name), json.dumps(place))
    given = json.loads(text)
    made: dict[str, Any] = json.loads(json.dumps(transform(given, dict(parameters), _NoManagedPolicies()), default=str))
    return made
