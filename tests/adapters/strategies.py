"""Wire values for Hypothesis."""

from base64 import b64encode

from hypothesis import strategies as st

from reconciler.wire import Image, Value

texts = st.text(st.characters(codec="utf-8"), max_size=12)
numbers = st.integers(-(10**12), 10**12).map(str)
base64_texts = st.binary(max_size=12).map(lambda content: b64encode(content).decode())


def _sets(elements: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(elements, min_size=1, max_size=4, unique=True)


scalars: st.SearchStrategy[Value] = st.one_of(
    st.fixed_dictionaries({"S": texts}),
    st.fixed_dictionaries({"N": numbers}),
    st.fixed_dictionaries({"B": base64_texts}),
    st.fixed_dictionaries({"BOOL": st.booleans()}),
    st.just({"NULL": True}),
    st.fixed_dictionaries({"SS": _sets(texts)}),
    st.fixed_dictionaries({"NS": _sets(numbers)}),
    st.fixed_dictionaries({"BS": _sets(base64_texts)}),
)


def _containers(members: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    lists = st.lists(members, max_size=4)
    maps = st.dictionaries(texts, members, max_size=4)
    return st.one_of(st.fixed_dictionaries({"L": lists}), st.fixed_dictionaries({"M": maps}))


values: st.SearchStrategy[Value] = st.recursive(scalars, _containers, max_leaves=8)
images: st.SearchStrategy[Image] = st.dictionaries(texts, values, max_size=6)
