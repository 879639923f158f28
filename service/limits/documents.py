"""JSON documents, read so that nothing in them is lost or doubtful.

The standard library keeps the last of two equal keys: half of what a trainer measured would be gone, and
nobody would know. Here the key is named instead.
"""

import json
from collections import Counter
from json import JSONDecodeError
from typing import Any

from service.errors import InvalidRequestError, UnreadableError

DEEPEST = 64  # objects and arrays within each other; what is stored as it came may nest half as deep
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SHOWN = 100  # characters of a key


def decoded(body: bytes) -> Any:
    """The value of a JSON document.

    Literals that are no JSON (NaN, Infinity) are read, as the standard library does: the field that holds
    one is told by its schema.

    Raises:
        UnreadableError: it is no UTF-8, nests too deeply, or holds an integer of too many digits.
        InvalidRequestError: an object has a key twice.
        JSONDecodeError: it is no JSON.
    """
    if body.startswith(_BYTE_ORDER_MARK):
        raise UnreadableError("the body begins with a byte order mark: send UTF-8 without one")
    try:
        value = _DECODER.decode(body.decode())
    except UnicodeDecodeError as error:
        raise UnreadableError(f"the body is not UTF-8 at byte {error.start}: encode it as UTF-8") from None
    except RecursionError:
        raise _too_deep() from None
    except JSONDecodeError:
        raise
    except ValueError:
        raise UnreadableError(
            "the body holds an integer of too many digits: send it as text, or as 1.5e20"
        ) from None
    # Counting brackets is cheap, and few documents have enough of them to nest deeply.
    if body.count(b"{") + body.count(b"[") > DEEPEST:
        _check_depth(value)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, if none of its keys occurs twice."""
    named = dict(pairs)
    if len(named) == len(pairs):
        return named
    key = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
    raise InvalidRequestError(
        f"the key {key[:_SHOWN]!r} occurs twice in one object: give it one value", code="duplicate_key"
    )


_DECODER = json.JSONDecoder(object_pairs_hook=_once)


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise _too_deep()


def _too_deep() -> UnreadableError:
    return UnreadableError(f"the body nests too deeply, {DEEPEST} levels are read: make it flatter")
