"""Fingerprints: 64 bits for an image, equal for equal images. Cheap, for the millions of calm ones.

They are Python's own hashes of sorted bytes, and so hold within one run: its worker processes are forked.
Sets come in any order and are sorted. A number has one spelling in DynamoDB, and an empty map too; where an engine
keeps another, two Regions seem to end differently, and the item is looked at closely.
"""

import re

import orjson

from reconciler.wire import Image, canonical_text, stable_json

NOTHING = 0
_WRAP = '{"M":'
_dumps = orjson.dumps
_SET, _BARE_MAP, _SORTED = b'S":[', b":{}", orjson.OPT_SORT_KEYS


# A number that DynamoDB itself would write otherwise: an exponent, a sign, or zeros that say nothing.
_ODD_NUMBER = re.compile(rb'"N":"(?:[+.]|-?0[0-9]|-0|[^"]*[eE]|[^"]*\.[^"]*0"|[^"]*\.")')


def fingerprint(image: Image | None) -> int:
    """Return the image's fingerprint, `NOTHING` where there is none."""
    if image is None:
        return NOTHING
    try:
        data = _dumps(image, option=_SORTED)
    except TypeError:  # half a character, which orjson does not write
        return hash(_canonical(image))
    if b"[" in data and _SET in data:
        return hash(_canonical(image))
    return hash(data)


def identity_of(image: Image | None) -> bytes:
    """Return what equal images share, whatever their spelling."""
    if image is None:
        return b""
    try:
        data = _dumps(image, option=_SORTED)
    except TypeError:
        return _canonical(image)
    is_plain = _SET not in data and _BARE_MAP not in data and not _ODD_NUMBER.search(data)
    return data if is_plain else _canonical(image)


def _canonical(image: Image) -> bytes:
    try:
        text = canonical_text({"M": image})[len(_WRAP) : -1]
    except (ValueError, RecursionError):
        text = stable_json(image)
    return text.encode("utf-8", "surrogatepass")
