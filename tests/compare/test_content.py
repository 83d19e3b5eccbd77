"""What configurations hold, and what is of a run by its nature."""

from typing import Any

import pytest

from provdb.compare.content import changed_lines, text_of, values_of
from provdb.compare.nature import Nature, night_of

_NATURE = Nature(1807, ["20200117"])
_VALUES = {"tailcut.thresh": 8, "models": ["a", "b"], "steps[0].name": "r0"}


@pytest.mark.parametrize(
    ("location", "content"),
    [
        pytest.param(
            "a.json",
            b'{"tailcut": {"thresh": 8}, "models": ["a", "b"], '
            b'"steps": [{"name": "r0"}]}',
            id="json",
        ),
        pytest.param(
            "a.YML",
            b"tailcut: {thresh: 8}\nmodels: [a, b]\nsteps:\n- name: r0\n",
            id="yaml",
        ),
        pytest.param(
            "a.toml",
            b'models = ["a", "b"]\ntailcut.thresh = 8\n[[steps]]\nname = "r0"\n',
            id="toml",
        ),
    ],
)
def test_a_configuration_is_read_by_key(location: str, content: bytes) -> None:
    assert values_of(location, content) == _VALUES


@pytest.mark.parametrize(
    ("location", "content"),
    [
        pytest.param("osa.cfg", b"[LST]\nscale = 1\n", id="another format"),
        pytest.param("a.json", b"{", id="broken json"),
        pytest.param("a.yaml", b"a: [1", id="broken yaml"),
        pytest.param("a.toml", b"\xff", id="no text"),
        pytest.param("a.yaml", b"a: &a [*a]", id="yaml that holds itself"),
        pytest.param(
            "a.yaml",
            b"a: &a [{x: 1}, {x: 1}]\n"
            + b"".join(
                b"%c: &%c [%s]\n" % (name, name, b", ".join([b"*%c" % (name - 1)] * 9))
                for name in range(ord("b"), ord("h"))
            ),
            id="yaml that holds too much",
        ),
    ],
)
def test_what_has_no_keys_is_no_configuration(location: str, content: bytes) -> None:
    assert values_of(location, content) is None


def test_what_is_no_text_has_no_lines() -> None:
    assert (text_of(b"\xff\x00"), text_of("é".encode())) == (None, "é")


def test_lines_that_were_added_or_left_out_are_named() -> None:
    assert list(changed_lines("a\nb\n", "a\nb\nc\n")) == [(3, "", "c")]
    assert list(changed_lines("a\nb\nc", "a\nc")) == [(2, "b", "")]


def test_very_long_texts_are_not_compared_line_by_line() -> None:
    ((line, before, after),) = changed_lines("a\n" * 9_000, "b\n" * 9_001)

    assert (line, before) == (1, "9000 lines")
    assert after.startswith("9001 lines")


@pytest.mark.parametrize(
    ("text", "natural"),
    [
        pytest.param("Run01807.0003.h5", "Run{run}.{subrun}.h5", id="file"),
        pytest.param("Run1807.h5", "Run{run}.h5", id="without zeros"),
        pytest.param("01807.0003", "{run}.{subrun}", id="argument"),
        pytest.param("Run18070.h5", "Run18070.h5", id="longer number"),
        pytest.param("Run01804.h5", "Run01804.h5", id="another run"),
        pytest.param("/2020/01/17/x", "/{date}/x", id="folders of a night"),
        pytest.param("--date=2020-01-17", "--date={date}", id="night of an argument"),
        pytest.param("/cal/20191124/x", "/cal/20191124/x", id="another night"),
        pytest.param("at 2020-01-18T08:00:00.119Z", "at {time}", id="time"),
        pytest.param("0c7bd8a0-1f54-4b0e-9a76-0d5f1ce3a001", "{id}", id="id"),
    ],
)
def test_what_is_of_a_run_has_a_word_for_it(text: str, natural: str) -> None:
    assert _NATURE.text(text) == natural


@pytest.mark.parametrize(
    ("name", "value", "natural"),
    [
        pytest.param("ObservationRun", 1807, "{run}", id="run"),
        pytest.param("PedestalRun", "01804", "01804", id="another run"),
        pytest.param("ObservationSubRun", "0003", "{subrun}", id="subrun"),
        pytest.param("threshold", 1807, 1807, id="a number that happens to be it"),
        pytest.param("is_run", True, True, id="no number"),
        pytest.param("inputs", ["Run01807.h5"], ["Run{run}.h5"], id="list"),
        pytest.param("o", {"run": "1807"}, {"run": "{run}"}, id="mapping"),
    ],
)
def test_a_parameter_is_of_a_run_by_its_name(
    name: str, value: Any, natural: Any
) -> None:
    assert _NATURE.value(name, value) == natural


@pytest.mark.parametrize("text", ["", "20200117.h5", "/v0.12.3/", "1234-56"])
def test_a_text_without_a_night_names_none(text: str) -> None:
    assert night_of(text) is None
