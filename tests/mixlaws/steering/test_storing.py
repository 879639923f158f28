"""What a policy may dump: exactly what strict JSON holds."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixlaws.steering.storing import check_storable

numbers = st.floats(allow_nan=True, allow_infinity=True)
leaves = st.none() | st.booleans() | st.integers() | numbers | st.text(max_size=3) | st.just(np.float64(0.5))
odd = st.sampled_from([np.int64(1), np.zeros(2), b"bytes", {1, 2}, np.float32(1), 1j])


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys = st.text(max_size=2)
    return st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(keys, inner, max_size=3)


@given(st.recursive(leaves, nested, max_leaves=12) | st.recursive(leaves | odd, nested, max_leaves=12))
def test_it_holds_for_what_json_writes_and_reads_and_for_nothing_else(value: Any) -> None:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        with pytest.raises(type(error)):
            check_storable(value)
    else:
        check_storable(value)


@pytest.mark.parametrize("key", [1, None, (1, 2)])
def test_values_are_named_by_strings(key: Any) -> None:
    # JSON would write some of them as strings, and what is read again would be another state.
    with pytest.raises(TypeError, match="strings"):
        check_storable({"a": 1, key: 2.0})
