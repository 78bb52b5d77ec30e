"""The page: one HTML file that asks nothing of any network, and shows every value as text.

What an item holds reaches the page as JSON, in elements that no browser runs. The Content-Security-Policy allows the
one script and the one style whose hashes it names, no request at all, and no string as markup (Trusted Types).
"""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from importlib.resources import files
from typing import Any

POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


def page(payload: Mapping[str, Any], blocks: Iterable[str]) -> Iterable[str]:
    """Yield the page's text, piece by piece."""
    script, style = _resource("page.js"), _resource("page.css")
    policy = POLICY.format(script=_hash(script), style=_hash(style))
    head, data, contents, end = _resource("page.html").split("<!--split-->")
    yield head.replace("%POLICY%", policy).replace("%STYLE%", style)
    yield data.replace("%DATA%", in_element(payload))
    before, after = contents.split("%BLOCKS%")
    yield before
    yield from _list(blocks)
    yield after
    yield end.replace("%SCRIPT%", script)


def in_element(value: object) -> str:
    """Return a value in JSON that no HTML parser takes for markup: it has no `<`, nor any letter beyond ASCII."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _list(blocks: Iterable[str]) -> Iterable[str]:
    separator = "["
    for block in blocks:
        yield f'{separator}"{block}"'
        separator = ",\n"
    yield "]" if separator != "[" else "[]"


def _resource(name: str) -> str:
    return files(__package__ or "").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return what the browser compares an element's text with."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
