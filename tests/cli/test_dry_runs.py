"""What was recorded in a dry run: part of an answer only if it is asked for."""

from pathlib import Path
from typing import Any, Final

import pytest

from tests.cli.command import Answer, Provdb

_RAW: Final = "/R0/LST-1.1.Run01807.0000.fits.fz"
_OTHER_RAW: Final = "/R0/LST-1.1.Run01807.0001.fits.fz"
_DL1: Final = "/DL1/dl1_LST-1.Run01807.0000.h5"
_PLANNED: Final = "/DL2/dl2_LST-1.Run01807.0000.h5"


def _step(
    name: str, used: str, generated: str, *, time: str, **more: Any
) -> list[dict[str, Any]]:
    this = {"activity_id": f"{name} {time}", "session_tag": f"{name}:01807", **more}
    start = f"2020-01-18T{time}:00"
    return [
        {**this, "name": name, "startTime": start},
        *({"entity_id": path, "filepath": path} for path in (used, generated)),
        {**this, "used_id": used},
        {**this, "generated_id": generated},
        {**this, "endTime": f"2020-01-18T{time}:30"},
    ]


def _files(said: Answer) -> set[str]:
    return {n["location"] for n in said.json["nodes"] if n["kind"] == "entity"}


@pytest.fixture
def planned(provdb_there: Provdb, tmp_path: Path) -> Provdb:
    """The command, with a step that ran, and two later ones that were dry runs."""
    records = [
        *_step("r0_to_dl1", _RAW, _DL1, time="08:00"),
        *_step("r0_to_dl1", _OTHER_RAW, _DL1, time="09:00", dry_run=True),
        *_step("dl1_to_dl2", _DL1, _PLANNED, time="10:00", dry_run=True),
    ]
    log = tmp_path / "prov.log"
    log.write_text("".join(f"{record}\n" for record in records), encoding="utf-8")
    assert provdb_there("ingest", log).status == 0
    return provdb_there


def test_a_dry_run_is_not_in_the_lineage_of_a_real_file(planned: Provdb) -> None:
    said = planned("query", "lineage", _DL1)

    assert _files(said) == {_DL1, _RAW}


def test_a_lineage_includes_dry_runs_on_request(planned: Provdb) -> None:
    said = planned("query", "lineage", _PLANNED, "--dry-run")

    assert _files(said) == {_PLANNED, _DL1, _OTHER_RAW}


def test_an_impact_includes_dry_runs_on_request(planned: Provdb) -> None:
    real = planned("query", "impact", _DL1)
    with_dry_runs = planned("query", "impact", _DL1, "--dry-run")

    assert _files(real) == {_DL1}
    assert _files(with_dry_runs) == {_DL1, _PLANNED}


def test_a_path_through_a_dry_run_is_found_on_request(planned: Provdb) -> None:
    real = planned("query", "path", _OTHER_RAW, _PLANNED)
    with_dry_runs = planned("query", "path", _OTHER_RAW, _PLANNED, "--dry-run")

    assert (real.status, real.json["count"]) == (1, 0)
    assert (with_dry_runs.status, with_dry_runs.json["count"]) == (0, 1)


def test_a_file_of_a_dry_run_alone_warns_and_names_the_option(planned: Provdb) -> None:
    said = planned("query", "lineage", _PLANNED)

    assert said.stderr == (
        f"provdb: warning: only a dry run wrote {_PLANNED}; "
        "--dry-run answers from dry runs too\n"
    )
