"""Definition files: both spellings are read, and each mistake has its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provdb.capture.definition import (
    get_definition,
    load_definition,
    parse_definition,
)
from provdb.errors import ReadError

_LSTOSA = """\
activities:
  r0_to_dl1:
    description: "Create DL1 files"
    parameters:
      - name: ObservationRun
        description: "Observation run number"
        value: ObservationRun
    usage:
      - role: "Observation subrun"
        description: "Observation subrun used"
        entityName: R0SubrunDataset
        value: R0SubrunDataset
    generation:
      - role: "DL1 subrun dataset"
        entityName: DL1SubrunDataset
        value: DL1SubrunDataset
  catB_calibration:
    description: "Create Cat-B calibration file"
    parameters:
    usage:
    generation:
entities:
  R0SubrunDataset:
    description: "R0 subrun file"
    type: File
    contentType: application/fits
  DL1SubrunDataset:
    type: File
agents:
  operator:
    email: osa@example.org
"""
_LOGPROV = """\
activity_descriptions:
  get_observations:
    parameters:
      - value: settings.observations.datastore
    usage:
      - role: datastore
        entity_description: DataStore
        location: settings.observations.datastore
    generation:
      - role: observations_selected
        entity_description: Observations
        value: observations
        has_members:
          list: observations.list
          entity_description: Observation
          id: obs_id
          location: location(hdu_type="events").path()
          namespace: gamma-events
entity_descriptions:
  DataStore: {type: FileCollection, index: obs-index.fits.gz}
  Observations: {type: PythonObject, docurl: "https://docs.gammapy.org"}
  Observation: {type: File}
agents:
namespaces:
  gamma-events: http://localhost/
"""


def test_spelling_of_lstosa_is_read() -> None:
    definition = parse_definition(_LSTOSA)

    step = definition.activities["r0_to_dl1"]
    (used,) = step.usage
    assert definition.problems == ()
    assert list(definition.activities) == ["r0_to_dl1", "catB_calibration"]
    assert (step.description, step.line) == ("Create DL1 files", 3)
    assert [parameter.name for parameter in step.parameters] == ["ObservationRun"]
    assert (used.role, used.value and used.value.text) == (
        "Observation subrun",
        "R0SubrunDataset",
    )
    assert used.entity == definition.entities["R0SubrunDataset"]
    assert definition.entities["R0SubrunDataset"].content_type == "application/fits"
    assert definition.agents["operator"].properties == {"email": "osa@example.org"}


def test_spelling_of_logprov_is_read() -> None:
    definition = parse_definition(_LOGPROV)

    step = definition.activities["get_observations"]
    (member,) = step.generation[0].members
    assert definition.problems == ()
    assert step.parameters[0].name == "settings.observations.datastore"
    assert step.usage[0].entity == definition.entities["DataStore"]
    assert definition.entities["DataStore"].index == "obs-index.fits.gz"
    assert (member.each and member.each.text, member.id and member.id.text) == (
        "observations.list",
        "obs_id",
    )
    assert member.namespace == "gamma-events"


def test_keys_of_provdb_hold_for_a_step_and_for_one_file_of_it() -> None:
    definition = parse_definition(
        """\
activities:
  dl1ab:
    session_tag: "{activity}:{run}"
    hash: content
    copy: false
    usage:
      - {role: config, value: config, copy: true, hash_method: md5}
      - {role: DL1, value: dl1, overwrite: true}
    generation:
      - {role: DL1AB, value: dl1, hash: path}
"""
    )

    step = definition.activities["dl1ab"]
    links = (*step.usage, *step.generation)
    assert definition.problems == ()
    assert step.session_tag == "{activity}:{run}"
    assert [link.hash_method for link in links] == ["md5", "sha256", None]
    assert [link.copy for link in links] == [True, False, False]
    assert [link.overwrite for link in links] == [False, True, False]


def test_a_generation_declares_what_the_write_does() -> None:
    definition = parse_definition(
        """\
activities:
  merge:
    generation:
      - {role: DL2, value: dl2, mode: part}
      - {role: log, value: log, mode: append}
      - {role: page, value: page}
"""
    )

    modes = [link.mode for link in definition.activities["merge"].generation]
    assert definition.problems == ()
    assert modes == ["part", "append", None]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        pytest.param(
            "generation: [{role: DL2, value: dl2, mode: parts}]",
            "definition:3: mode parts is none of overwrite, part, append; "
            "did you mean part?",
            id="unknown mode",
        ),
        pytest.param(
            "generation: [{role: DL2, value: dl2, mode: [part]}]",
            "definition:3: mode is a list, not a text",
            id="several modes",
        ),
        pytest.param(
            "usage: [{role: DL2, value: dl2, mode: part}]",
            "definition:3: a usage of activity merge has no key mode",
            id="mode of a usage",
        ),
    ],
)
def test_a_wrong_mode_is_told_with_its_line_and_left_out(
    row: str, problem: str
) -> None:
    definition = parse_definition(f"activities:\n  merge:\n    {row}\n")

    step = definition.activities["merge"]
    assert [str(p).partition(" (")[0] for p in definition.problems] == [problem]
    assert [link.mode for link in (*step.usage, *step.generation)] == [None]


def test_progenitors_may_be_one_or_several() -> None:
    definition = parse_definition(
        """\
activities:
  merge:
    generation:
      - {role: a, value: a, has_progenitors: {value: b}}
      - {role: c, value: c, has_progenitors: [{value: d}, {list: e}]}
"""
    )

    one, several = definition.activities["merge"].generation
    assert definition.problems == ()
    assert (len(one.progenitors), len(several.progenitors)) == (1, 2)


def test_anchors_and_merged_mappings_are_read() -> None:
    definition = parse_definition(
        """\
entities:
  R0SubrunDataset: &file {type: File, contentType: application/fits}
  RawObservationFile: {<<: *file, description: raw}
"""
    )

    entity = definition.entities["RawObservationFile"]
    assert definition.problems == ()
    assert (entity.type, entity.description) == ("File", "raw")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            "activities:\n  dl1ab:\n    usages: []",
            "definition.yaml:3: activity dl1ab has no key usages; did you mean usage?",
            id="unknown key",
        ),
        pytest.param(
            "activites: {}",
            "definition.yaml:1: a definition has no key activites; "
            "did you mean activities?",
            id="unknown section",
        ),
        pytest.param(
            "activities:\n- r0_to_dl1",
            "definition.yaml:2: activities is a list, not a mapping",
            id="list of activities",
        ),
        pytest.param(
            "activities:\n  dl1ab:\n    usage: DL1",
            "definition.yaml:3: usage of activity dl1ab is 'DL1', not a list",
            id="text as usage",
        ),
        pytest.param(
            "activities:\n  a:\n    usage:\n    - {value: x, entityName: Peak}\n"
            "entities:\n  Peek: {type: File}",
            "definition.yaml:4: entity Peak is not declared; did you mean Peek?",
            id="entity not declared",
        ),
        pytest.param(
            "activities:\n  a:\n    usage:\n    - {role: r, value: x}\n"
            "    - {role: r, value: y}",
            "definition.yaml:5: role in the usage r is there twice",
            id="role twice",
        ),
        pytest.param(
            "activities:\n  a: {}\n  a: {}",
            "definition.yaml:3: activities has a twice",
            id="activity twice",
        ),
        pytest.param(
            "activities:\n  a:\n    usage:\n    - role: r",
            "definition.yaml:4: a usage of activity a has no value, location or id",
            id="nowhere to look",
        ),
        pytest.param(
            "activities:\n  a:\n    parameters:\n    - name: run",
            "definition.yaml:4: run has no value",
            id="parameter without value",
        ),
        pytest.param(
            "activities:\n  a:\n    parameters:\n    - value: 1 + 1",
            "definition.yaml:4: value '1 + 1' is no path to a value: "
            "'+ 1' is no name, item or call",
            id="no path",
        ),
        pytest.param(
            "entities:\n  a: {type: Flie}",
            "definition.yaml:2: type Flie is none of File, FileCollection, "
            "SetCollection, PythonObject; did you mean File?",
            id="unknown type",
        ),
        pytest.param(
            "activities:\n  a:\n    usage:\n    - {value: x, overwrite: perhaps}",
            "definition.yaml:4: overwrite is 'perhaps', not true or false",
            id="neither yes nor no",
        ),
        pytest.param(
            "activities:\n  a:\n    session_tag: '{activity'",
            "definition.yaml:3: session_tag '{activity' is no template: "
            "expected '}' before end of string",
            id="template",
        ),
        pytest.param(
            "activities:\n  a: {hash: contents}",
            "definition.yaml:2: hash contents is none of path, content; "
            "did you mean content?",
            id="hash",
        ),
        pytest.param(
            "activities:\n\t- a",
            "definition.yaml:2: it is no YAML: "
            "found character that cannot start any token",
            id="no yaml",
        ),
        pytest.param("", "definition.yaml: it declares nothing", id="empty"),
    ],
)
def test_mistake_is_told_with_its_line(text: str, problem: str) -> None:
    definition = parse_definition(text, source="definition.yaml")

    assert [str(told) for told in definition.problems] == [problem]


def test_good_part_of_a_definition_is_used() -> None:
    definition = parse_definition(
        """\
activities:
  r0_to_dl1:
    parameters: none
    usage:
      - {role: r0, value: r0}
      - {role: bad, value: "1 + 1"}
"""
    )

    assert [link.role for link in definition.activities["r0_to_dl1"].usage] == ["r0"]
    assert len(definition.problems) == 2


def test_missing_file_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "definition.yaml"

    definition = load_definition(path)

    assert [str(problem) for problem in definition.problems] == [
        f"{path}: No such file or directory"
    ]


def test_strict_reading_raises_the_first_problem(tmp_path: Path) -> None:
    path = tmp_path / "definition.yaml"
    path.write_text("activities: 1\nentities: 2\n", encoding="utf-8")

    with pytest.raises(ReadError, match="activities is '1'") as caught:
        get_definition(path)

    assert (caught.value.source, caught.value.line) == (str(path), 1)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xff\xfe\x00", id="no text"),
        pytest.param(b"a: &a [*a]", id="in itself"),
        pytest.param(b"activities: &a {b: *a}", id="activities in themselves"),
        pytest.param(b"&a {<<: *a, b: 1}", id="merged in itself"),
        pytest.param(b"[" * 5000, id="deep"),
        pytest.param(b"a: !!python/object/apply:os.getcwd []", id="object"),
        pytest.param(b"activities: {? [a] : b}", id="list as a key"),
        pytest.param(b"--- 1\n--- 2", id="two documents"),
    ],
)
def test_whatever_a_file_holds_reading_it_does_not_raise(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "definition.yaml"
    path.write_bytes(content)

    assert load_definition(path).problems != ()


@given(st.text(alphabet="activities: usage\n-{}[]&*<!?'\"|>", max_size=60))
def test_any_text_is_read(text: str) -> None:
    parse_definition(text)
