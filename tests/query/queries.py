"""Draw trees of queries at random, with every construct of the language."""

from hypothesis import strategies as st

from provdb.query.tree import (
    And,
    Compare,
    Count,
    Field,
    Free,
    Known,
    Limit,
    Match,
    Measure,
    Member,
    Node,
    Not,
    Or,
    Order,
    Query,
    Range,
    Reach,
    Regex,
    Select,
    Sort,
    Text,
    Unique,
)

__all__ = ["conditions", "queries"]

_KEYS = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"),
    min_size=1,
    max_size=8,
)
_NAMES = st.sampled_from(["level", "run", "NOTice", "Order", "in_session", "isotope"])
_FIELDS = st.builds(
    lambda name, keys: Field(parts=(name, *keys)), _NAMES, st.lists(_KEYS, max_size=2)
)
_WORDS = st.sampled_from(
    ["DL1", "r0_to_dl1:01618", "/fefs/x/", "*dl2?", "1618", "2019-11", "notes", "-5"]
)
_FREE_WORDS = st.sampled_from(["LST-1.Run01618.0008", "dl1*", "ordinary", "/fefs/x"])
_QUOTED = st.builds(lambda text: Text(text=text, is_quoted=True), _KEYS)
_TEXTS = st.one_of(st.builds(lambda word: Text(text=word), _WORDS), _QUOTED)
_BOUNDS = st.sampled_from(["1", "20191101", "20m", "-3"])
_RANGES = st.one_of(
    st.builds(Range, low=_BOUNDS, high=st.one_of(st.none(), _BOUNDS)),
    st.builds(Range, low=st.none(), high=_BOUNDS),
)
_VALUES = st.one_of(_TEXTS, _RANGES)
_REGEXES = st.builds(
    Regex,
    pattern=st.sampled_from(["^dl1_", r"a\/b", "x|y"]),
    ignores_case=st.booleans(),
)
conditions: st.SearchStrategy[Node] = st.one_of(
    st.builds(
        Compare,
        field=_FIELDS,
        operator=st.sampled_from([":", "=", "!=", ">", ">=", "<", "<="]),
        value=_VALUES,
    ),
    st.builds(
        Match,
        field=_FIELDS,
        pattern=st.one_of(_QUOTED, _REGEXES),
        is_negated=st.booleans(),
    ),
    st.builds(
        Member,
        field=_FIELDS,
        values=st.lists(_VALUES, min_size=1, max_size=3).map(tuple),
    ),
    st.builds(Known, field=_FIELDS, is_known=st.booleans()),
    st.builds(Free, text=st.one_of(_QUOTED, _FREE_WORDS.map(lambda w: Text(text=w)))),
)


def _larger(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Not, part=parts),
        st.builds(And, parts=several),
        st.builds(Or, parts=several),
        st.builds(
            Reach, direction=st.sampled_from(["upstream", "downstream"]), part=parts
        ),
    )


_NODES = st.recursive(conditions, _larger, max_leaves=8)
_SOME = st.lists(_FIELDS, min_size=1, max_size=2).map(tuple)
_BY = st.one_of(st.just(()), _SOME)
_STAGES = st.one_of(
    st.builds(Select, fields=_SOME),
    st.builds(
        Sort,
        orders=st.lists(
            st.builds(Order, field=_FIELDS, is_descending=st.booleans()),
            min_size=1,
            max_size=2,
        ).map(tuple),
    ),
    st.builds(Limit, count=st.integers(0, 999)),
    st.builds(Count, by=_BY),
    st.builds(Measure, function=st.sampled_from(["p95", "sum"]), field=_FIELDS, by=_BY),
    st.builds(Unique, field=_FIELDS),
)
queries = st.builds(
    Query,
    selector=st.one_of(st.none(), _NODES),
    stages=st.lists(_STAGES, max_size=3).map(tuple),
)
