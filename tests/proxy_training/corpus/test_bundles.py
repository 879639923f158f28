"""JavaScript bundles become the source files that they were made of."""

from hypothesis import given
from hypothesis import strategies as st

from proxy_training.corpus.bundles import modules

ESBUILD = 'var W=1;var Ab=W((e,t)=>{"use strict";t.exports=1});var Cd=W((e,t)=>{t.exports=Ab()});'
RSPACK = 'x=g({"src/lib/add.js"(t,r){r.exports=1}}),y=g({"node_modules/d3/d3.js"(t){t.d=2}});'


def test_every_wrapped_module_is_a_document() -> None:
    assert [text for _, text in modules(ESBUILD)] == [
        "var W=1;var ",
        'Ab=W((e,t)=>{"use strict";t.exports=1});var ',
        "Cd=W((e,t)=>{t.exports=Ab()});",
    ]
    assert len(list(modules(RSPACK))) == 3


def test_a_script_without_modules_is_one_document() -> None:
    assert list(modules("function f() { return 1 }")) == [("#0", "function f() { return 1 }")]


@given(st.lists(st.sampled_from([ESBUILD, RSPACK, "f();", "\n"]), max_size=5).map("".join))
def test_no_text_is_lost_and_no_part_named_twice(text: str) -> None:
    parts = list(modules(text))
    assert "".join(body for _, body in parts) == text
    assert len({part for part, _ in parts}) == len(parts)
