"""How large DynamoDB counts an item.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from reconciler.wire import Image, Value

MAX_ITEM_BYTES = 400 * 1024
_CONTAINER, _ELEMENT, _MAX_NUMBER = 3, 1, 21


def item_bytes(image: Image) -> int:
    """Return the item's size: names and values."""
    return sum(len(name.encode("utf-8", "surrogatepass")) + value_bytes(value) for name, value in image.items())


def value_bytes(value: Value) -> int:  # noqa: PLR0911 - one way out for each type
    """Return one value's size; a number counts a byte for two digits, and one more."""
    for letter, content in value.items():
        match letter:
            case "S":
                return len(content.encode("utf-8", "surrogatepass"))
            case "N":
                return _number_bytes(content)
            case "B":
                return _binary_bytes(content)
            case "SS" | "NS" | "BS":
                return sum(value_bytes({letter[0]: element}) for element in content)
            case "L":
                return _CONTAINER + sum(_ELEMENT + value_bytes(element) for element in content)
            case "M":
                return _CONTAINER + _ELEMENT * len(content) + item_bytes(content)
            case _:
                return 1
    return _CONTAINER


def _number_bytes(text: str) -> int:
    digits = len(text.lstrip("-").replace(".", "").strip("0")) or 1
    return min((digits + 1) // 2 + 1 + text.startswith("-"), _MAX_NUMBER)


def _binary_bytes(base64: str) -> int:
    return len(base64) // 4 * 3 - base64.count("=")
