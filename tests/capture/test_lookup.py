"""Where values are found while a pipeline runs, and that looking harms nothing."""

from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provdb.capture.lookup import Found, Missing, find_value, parse_path
from provdb.errors import ReadError


class Hostile:
    """An object of a pipeline that answers with an error of its own."""

    def __getattr__(self, name: str) -> Any:
        """Raise whatever is asked for."""
        raise RuntimeError("no calibration")


class Observation:
    """An object as gammapy has them."""

    def location(self, hdu_type: str) -> Path:
        """Return where a part of it is."""
        return Path(f"/DL3/{hdu_type}.fits")


_CONFIG = SimpleNamespace(input=SimpleNamespace(path="/R0/run.fits.fz"))
_PLACE = {
    "run_str": "01618.0008",
    "config": _CONFIG,
    "options": {"prod_id": "v0.1.0", "items": "an item"},
    "files": ["/DL1/0.h5", "/DL1/1.h5"],
    "runs": {1618: "Crab"},
    "observation": Observation(),
    "get_path": lambda: "/DL1/dl1.h5",
    "settings": {"datasets": {"geom-irf": "wcs"}},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("run_str", "01618.0008", id="argument"),
        pytest.param("config.input.path", "/R0/run.fits.fz", id="nested attribute"),
        pytest.param("options.prod_id", "v0.1.0", id="key after a dot"),
        pytest.param('options["prod_id"]', "v0.1.0", id="key in brackets"),
        pytest.param("options.items", "an item", id="key named as a method"),
        pytest.param('options.get("prod_id")', "v0.1.0", id="method of a mapping"),
        pytest.param("files[1]", "/DL1/1.h5", id="item of a list"),
        pytest.param("files[-1]", "/DL1/1.h5", id="item from the end"),
        pytest.param("runs[01618]", "Crab", id="run as it is written"),
        pytest.param("runs[1618]", "Crab", id="number as a key"),
        pytest.param("get_path()", "/DL1/dl1.h5", id="call"),
        pytest.param("run_str.split('.')[0]", "01618", id="call and item"),
        pytest.param("run_str.split(.)[0]", "01618", id="bare word as a text"),
        pytest.param("run_str.zfill(12)", "0001618.0008", id="number"),
        pytest.param(
            'observation.location(hdu_type="events").__str__()',
            "/DL3/events.fits",
            id="argument by name, as logprov has it",
        ),
        pytest.param("settings.datasets.geom-irf", "wcs", id="name with a dash"),
    ],
)
def test_path_leads_to_its_value(path: str, value: object) -> None:
    assert find_value(parse_path(path), [_PLACE]) == Found(value)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        pytest.param("R0SubrunDataset", "there is no R0SubrunDataset", id="name"),
        pytest.param("config.output", "config has no output", id="attribute"),
        pytest.param(
            "config.input.size.mean", "config.input has no size", id="half of it"
        ),
        pytest.param("options.run", "options has no run", id="key"),
        pytest.param("files[7]", "files has no [7]", id="item"),
        pytest.param("run_str()", "run_str() raises TypeError", id="no function"),
        pytest.param(
            "observation.location()", "location() raises TypeError", id="call"
        ),
    ],
)
def test_path_that_leads_nowhere_says_where_it_ends(path: str, reason: str) -> None:
    outcome = find_value(parse_path(path), [{}, _PLACE])

    assert isinstance(outcome, Missing)
    assert outcome.reason.endswith(reason)


def test_first_place_that_has_the_whole_path_is_taken() -> None:
    places = [{"config": None}, {"run": 1618}, {"config": _CONFIG, "run": 1}]

    found = [find_value(parse_path(path), places) for path in ("config.input", "run")]

    assert found == [Found(_CONFIG.input), Found(1618)]


def test_looking_changes_nothing() -> None:
    options: defaultdict[str, list[int]] = defaultdict(list)
    places = [options, {"options": options}]

    outcomes = [
        find_value(parse_path(path), places)
        for path in ("run", "options.run", "options['run']")
    ]

    assert {type(outcome) for outcome in outcomes} == {Missing}
    assert options == {}


def test_none_is_a_value() -> None:
    assert find_value(parse_path("file"), [{"file": None}, {"file": 1}]) == Found(None)


def test_objects_are_places_by_their_attributes() -> None:
    assert find_value(parse_path("input.path"), [_CONFIG]) == Found("/R0/run.fits.fz")


@pytest.mark.parametrize("path", ["hostile.run", "run"])
def test_error_of_the_pipeline_is_an_answer(path: str) -> None:
    outcome = find_value(parse_path(path), [{"hostile": Hostile()}, Hostile()])

    assert isinstance(outcome, Missing)


@pytest.mark.parametrize(
    "text",
    ["", " ", ".run", "run.", "run..path", "files[", "files[a]", "f(", "f(()", "a b"],
)
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ReadError):
        parse_path(text)


@pytest.mark.parametrize(
    "text", ["(1).real", "1 + 1", "[1][0]", "lambda: 1", "len(x for x in y)"]
)
def test_python_is_no_path(text: str) -> None:
    with pytest.raises(ReadError):
        parse_path(text)


def test_builtin_functions_are_not_in_reach() -> None:
    path = parse_path("__import__('os').getcwd()")

    assert find_value(path, [{}, _CONFIG]) == Missing("there is no __import__")


@given(st.text(alphabet="ab.[]()0-'\"=, \n\x00é", max_size=20))
@example("a['\n']")
@example(f"a[{'9' * 5000}]")
@example(f"a({'9' * 5000})")
def test_any_text_is_a_path_or_refused_and_looking_never_raises(text: str) -> None:
    place = {"a": {"b": [Hostile()]}, "b": Hostile(), "ab": len}

    try:
        path = parse_path(text)
    except ReadError:
        return

    assert isinstance(find_value(path, [place, Hostile(), place]), Found | Missing)
