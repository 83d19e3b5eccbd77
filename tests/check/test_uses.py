"""What activities used, against what is known to have been written."""

from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from provdb.check import CheckReport, Finding, check
from provdb.check.uses import is_data_product
from provdb.model import Folder, fold, location_id
from provdb.store import Store
from tests.lineage.histories import Step, at, file, remember

_R0 = file("/R0/LST-1.1.Run01618.0008.fits.fz", "R0SubrunDataset")
_DL1 = file("/DL1/dl1_LST-1.Run01618.0008.h5", "DL1SubrunDataset")
_DL2 = file("/DL2/dl2_LST-1.Run01618.0008.h5", "DL2SubrunDataset")
_ONE, _OTHER = "a" * 64, "b" * 64
_LOOKED_FOR = ("content conflict", "dangling input", "time conflict")


def _written(**options: Any) -> Step:
    whole = {"name": "r0_to_dl1", "used": [_R0], "generated": [_DL1.link(content=_ONE)]}
    return Step(**{**whole, **options})


def _read(**options: Any) -> Step:
    whole: dict[str, Any] = {
        "name": "dl1_to_dl2",
        "used": [_DL1.link(content=_ONE)],
        "generated": [_DL2],
        "start": 5,
        "end": 6,
    }
    return Step(**{**whole, **options})


def _found(report: CheckReport) -> list[Finding]:
    return [one for one in report.findings if one.kind in _LOOKED_FOR]


def _said(findings: Iterable[Finding]) -> list[tuple[str, str | None, str]]:
    return [(one.kind, one.step, one.detail) for one in findings]


def test_a_content_that_no_step_wrote_is_a_conflict(store: Store) -> None:
    read = _read(used=[_DL1.link(content=_OTHER)])
    remember(store, _written(), read)

    (finding,) = _found(check(store))

    assert (finding.kind, finding.step) == ("content conflict", "dl1_to_dl2")
    assert (finding.entity, finding.location) == (
        _DL1.id,
        dict(_DL1.fields)["filepath"],
    )
    assert finding.sentence == (
        f"The content of {finding.location} that dl1_to_dl2 used is not what r0_to_dl1 "
        f"wrote: its recorded hash is {_OTHER}, not {_ONE}."
    )
    assert finding.next_step == (
        "find what changed it; its recorded writes: "
        "provdb query versions /DL1/dl1_LST-1.Run01618.0008.h5"
    )


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([_written(), _read()], id="the same content"),
        pytest.param(
            [_written(generated=[_DL1.link(content=_ONE.upper())]), _read()],
            id="another spelling of the digest",
        ),
        pytest.param(
            [_written(), _read(used=[_DL1.link(content="c" * 32)])],
            id="a digest of another method",
        ),
        pytest.param(
            [
                _written(),
                _written(generated=[_DL1], start=2, end=3),
                _read(used=[_DL1.link(content=_OTHER)]),
            ],
            id="the last step recorded no content",
        ),
        pytest.param(
            [
                _written(),
                _written(generated=[_DL1.link(content=_OTHER)], start=2, end=3),
                _read(),
            ],
            id="the content of an earlier step",
        ),
        pytest.param(
            [
                _written(),
                Step(
                    name="dl1ab",
                    used=[_DL1.link(content=_ONE)],
                    generated=[_DL1.link(content=_OTHER)],
                    start=2,
                    end=3,
                ),
                _read(used=[_DL1.link(content=_OTHER)]),
            ],
            id="rewritten in place",
        ),
        pytest.param([_read(used=[_R0.link(content=_ONE)])], id="no step wrote it"),
    ],
)
def test_what_a_write_can_explain_is_no_conflict(
    memory: Store, steps: Sequence[Step]
) -> None:
    remember(memory, *steps)

    assert _found(check(memory)) == []


def test_a_content_that_was_edited_before_it_was_rewritten_is_a_conflict(
    memory: Store,
) -> None:
    rewritten = Step(
        name="dl1ab",
        used=[_DL1.link(content=_OTHER)],
        generated=[_DL1.link(content="c" * 64)],
        start=2,
        end=3,
    )
    remember(memory, _written(), rewritten, _read(used=[_DL1.link(content="c" * 64)]))

    (finding,) = _found(check(memory))

    assert (finding.kind, finding.step) == ("content conflict", "dl1ab")


def test_raw_data_that_changed_between_two_uses_is_a_conflict(store: Store) -> None:
    """Nobody is known to have written it, and two steps recorded its content."""
    first = _written(used=[_R0.link(content=_ONE)])
    again = _written(used=[_R0.link(content=_ONE)], start=2, end=3)
    other = _written(name="muons", used=[_R0.link(content=_OTHER)], start=4, end=5)
    remember(store, other, again, first)

    (finding,) = _found(check(store))

    assert (finding.step, finding.count, finding.entity) == ("muons", 1, _R0.id)
    assert finding.sentence == (
        f"The content of {finding.location} that muons used is not what r0_to_dl1 used "
        "at 2020-01-17T20:00:00.000Z, and no step is known to have written it."
    )


def test_a_configuration_may_change_between_two_uses(memory: Store) -> None:
    config = file("/cfg/lstchain.json", "AnalysisConfigFile")
    steps = [
        _written(used=[config.link(content=content)], start=start, end=start + 1)
        for start, content in ((0, _ONE), (2, _OTHER))
    ]
    remember(memory, *steps)

    assert _found(check(memory)) == []


def test_a_data_product_that_nobody_made_is_dangling(store: Store) -> None:
    remember(store, _read(used=[_DL1]))

    (finding,) = _found(check(store))

    assert _said([finding]) == [
        (
            "dangling input",
            "dl1_to_dl2",
            "dl1_LST-1.Run01618.0008.h5: nobody made it",
        )
    ]
    assert finding.entity == _DL1.id
    assert finding.next_step == "ingest the log of the step that made it"


def test_a_file_of_the_same_name_that_was_made_elsewhere_is_named(store: Store) -> None:
    """As by another mount point; no link rule is about it."""
    elsewhere = file("/lustre/DL1/dl1_LST-1.Run01618.0008.h5", "DL1SubrunDataset")
    remember(store, _written(), _read(used=[elsewhere]))

    (finding,) = _found(check(store, rules=()))

    assert finding.detail == (
        "dl1_LST-1.Run01618.0008.h5: nobody made it; one was made in /DL1"
    )
    assert finding.sentence.endswith(
        "; a step made /DL1/dl1_LST-1.Run01618.0008.h5, which has the same name."
    )
    assert "provdb db alias add" in finding.next_step


def test_a_file_of_the_same_name_of_another_telescope_is_not_named(
    memory: Store,
) -> None:
    """Names of calibrations have no telescope, their folders have one."""
    name = "monitoring/PixelCalibration/Cat-A/drs4_baseline/drs4_pedestal.Run21001.h5"
    made, used = (file(f"/data/LST{n}/{name}", "PedestalFile") for n in (1, 2))
    remember(memory, _written(generated=[made]), _read(used=[used]))

    (finding,) = _found(check(memory))

    assert finding.location == dict(used.fields)["filepath"]
    assert finding.detail == "drs4_pedestal.Run21001.h5: nobody made it"


def test_what_a_link_rule_follows_is_not_dangling(memory: Store) -> None:
    """A DL1 file is moved into a folder below, and is rewritten there."""
    moved = file("/DL1/tailcut84/dl1_LST-1.Run01618.0008.h5", "DL1SubrunDataset")
    rewritten = Step(name="dl1ab", used=[moved], generated=[moved], start=2, end=3)
    read = _read(used=[moved])
    only_read = _read(
        used=[file("/DL1/b/dl1_LST-1.Run01618.0008.h5", "DL1SubrunDataset")]
    )
    remember(memory, _written(), rewritten, read, only_read)

    assert _found(check(memory)) == []


def test_two_passes_that_rewrite_a_moved_file_have_nothing_wrong(store: Store) -> None:
    """As lstosa does: dl1ab reads and writes a file below that of r0_to_dl1."""
    moved = file("/DL1/tailcut84/dl1_LST-1.Run01618.0008.h5", "DL1SubrunDataset")
    for start in (0, 100):
        remember(
            store,
            Step(
                name="r0_to_dl1",
                used=[_R0],
                generated=[_DL1],
                start=start,
                end=start + 1,
            ),
            Step(
                name="dl1ab",
                used=[moved],
                generated=[moved],
                start=start + 2,
                end=start + 3,
            ),
            _read(used=[moved], start=start + 4, end=start + 5),
        )

    assert _found(check(store)) == []


@pytest.mark.parametrize(
    "used",
    [
        pytest.param(_R0, id="raw data"),
        pytest.param(file("/cfg/dl1_to_dl2.json", "AnalysisConfigFile"), id="config"),
        pytest.param(file("/models/reg_energy.sav", "RFModelEnergyFile"), id="model"),
        pytest.param(_DL1.derived(_R0), id="derived"),
    ],
)
def test_what_may_be_from_elsewhere_is_not_dangling(memory: Store, used: Any) -> None:
    remember(memory, _R0, used, _read(used=[used]))

    assert _found(check(memory)) == []


def test_a_data_product_that_was_written_only_afterwards_is_dangling(
    memory: Store,
) -> None:
    remember(memory, _written(start=20, end=21), _read(used=[_DL1]))

    (finding,) = _found(check(memory))

    assert finding.detail.endswith(": it was written only afterwards")


def test_a_use_before_the_write_has_ended_is_a_time_conflict(store: Store) -> None:
    written = _written(start=5.5, end=5.9, session="other")
    remember(store, written, _read(used=[_DL1.link(role="DL1")]))

    (finding,) = _found(check(store))

    assert _said([finding]) == [
        ("time conflict", "dl1_to_dl2", "used as DL1 before r0_to_dl1 had written it")
    ]
    assert finding.entity == _DL1.id


def _nested(inner: Step, outer: Step) -> list[dict[str, Any]]:
    """Return the records of a step that another one started."""
    started = {"started_by": outer.activity_id}
    return [
        *outer.records(),
        *(one | started if "startTime" in one else one for one in inner.records()),
    ]


def test_a_step_may_read_what_a_step_inside_of_it_wrote(memory: Store) -> None:
    inner = _written(start=5.5, end=5.9, session="other")
    memory.write(fold(_nested(inner, _read(used=[_DL1]))))

    assert _found(check(memory)) == []


def test_a_step_may_read_what_a_step_of_its_session_wrote_inside_of_it(
    memory: Store,
) -> None:
    remember(memory, _written(start=5.5, end=5.9), _read(used=[_DL1]))

    assert _found(check(memory)) == []


def test_what_a_log_has_before_the_use_was_not_written_afterwards(store: Store) -> None:
    """The clock of the writer is wrong: the file is not from nowhere."""
    folder = Folder()
    records = [*_written(start=20, end=21).records(), *_read(used=[_DL1]).records()]
    for place, record in enumerate(records):
        folder.add(record, source="a1", place=place)
    store.write(folder.take())

    (finding,) = _found(check(store))

    assert finding.kind == "time conflict"


def test_an_hour_that_happens_twice_is_no_time_conflict(memory: Store) -> None:
    """The clock goes back between the write and the use; the log knows the order."""
    written = {"activity_id": "621ca2", "session_tag": "r0_to_dl1:01618"}
    read = {"activity_id": "621ca3", "session_tag": "dl1ab:01618"}
    records = [
        *_DL1.records(),
        {**written, "name": "r0_to_dl1", "startTime": "2026-10-25T02:40:00"},
        {**written, "generated_id": _DL1.id},
        {**written, "endTime": "2026-10-25T02:50:00"},
        {**read, "name": "dl1ab", "startTime": "2026-10-25T02:05:00"},
        {**read, "used_id": _DL1.id},
        {**read, "endTime": "2026-10-25T02:06:00"},
    ]
    folder = Folder(zone=ZoneInfo("Europe/Madrid"))
    for place, record in enumerate(records):
        folder.add(record, source="a1", place=place)
    memory.write(folder.take())

    assert _found(check(memory)) == []


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(_written(start=4, end=5.05), id="clocks 3 s apart"),
        pytest.param(_written(start=4, end=None), id="no end"),
        pytest.param(_written(start=4, end=5.5, status="failed"), id="failed"),
    ],
)
def test_what_the_clocks_may_allow_is_no_time_conflict(
    memory: Store, written: Step
) -> None:
    remember(memory, written, _read(used=[_DL1]))

    assert _found(check(memory)) == []


def test_a_dry_run_neither_uses_nor_writes(memory: Store) -> None:
    """It names files that it never looks at."""
    this = {"activity_id": "621ca2", "session_tag": "dl1_to_dl2:01618"}
    start = {**this, "name": "dl1_to_dl2", "startTime": at(0).isoformat()}
    memory.write(
        fold(
            [
                *_DL1.records(),
                {**start, "dry_run": True},
                {**this, "used_id": location_id("/DL1/dl1_LST-1.Run01618.0008.h5")},
                {**this, "endTime": at(1).isoformat()},
            ]
        )
    )

    assert _found(check(memory)) == []


@pytest.mark.parametrize(
    ("name", "is_product"),
    [
        ("drs4_pedestal.Run01804.0000.h5", True),
        ("calibration_filters_52.Run01809.0000.h5", True),
        ("time_calibration.Run01625.0000.h5", False),
        ("reg_energy.sav", False),
        ("dl1_gamma_20deg_180deg_run1000___cta-prod5.h5", False),
        ("dl1_LST-1.Run01807.h5", True),
    ],
)
def test_a_calibration_of_one_night_is_a_product(name: str, is_product: bool) -> None:
    (entity,) = fold(file(f"/cal/{name}").records())["entities"]

    assert is_data_product(entity) == is_product


def test_more_activities_than_one_batch_are_checked_together(memory: Store) -> None:
    """A write is found wherever it is in the store."""
    steps = [_read(used=[_DL1], id=f"62{number:04}") for number in range(1100)]
    remember(memory, _written(), *steps)

    report = check(memory)

    assert (report.activities, _found(report)) == (1101, [])
