"""What a value in a template names: a resource of the stack, or something elsewhere."""

import re
from typing import Any


def named(value: Any) -> str:  # noqa: ANN401 - any value of a template
    """Return the logical name behind a Ref or an Arn, a table's name from its ARN, or the text as it is."""
    match value:
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [str(name), _]}:
            return name
        case str(text) if found := re.fullmatch(r"\$\{(\w+)(\.\w+)?\}", text):
            return found[1]
        case str(text) if found := re.fullmatch(r"arn:[^:]*:dynamodb:[^:]*:[^:]*:table/([^/]+)", text):
            return found[1]
        case _:
            return str(value)


def listed(value: Any) -> list[Any]:  # noqa: ANN401 - one value, or a list of them
    """Return a list: IAM takes one value for a list of one."""
    return value if isinstance(value, list) else [value]
