"""Logs are read into a store to their end, and what became of them is said."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from provdb.errors import ReadError, StoreUnavailable
from provdb.ingest import IngestReport, Progress, ingest
from provdb.ingest import reading as room
from provdb.model import fields as f
from provdb.model import fold
from provdb.readers.formats import format_named
from provdb.store import Store, WriteCounts, open_store
from tests.readers.reading import read_file
from tests.samples import (
    LOGS,
    NIGHT_LOG,
    RUN_LOG,
    SLIDES_LOG,
    every_log,
    read_log,
    records_of,
    stored_in,
    stored_without_places,
    together,
)

GOOD = b"{'entity_id': '446f45', 'name': 'R0SubrunDataset'}\n"
OTHER = b"{'entity_id': '6d2362', 'name': 'DL1SubrunDataset'}\n"


def counts_of(report: IngestReport) -> tuple[int, int, int, int, int, int]:
    """Return inputs, lines, records, foreign, skipped, unread."""
    return (
        report.inputs,
        report.lines,
        report.records,
        report.foreign,
        report.skipped,
        report.unread,
    )


def read(*paths: Path | BinaryIO) -> tuple[IngestReport, list[str], list[str]]:
    """Ingest into a new store; return the report, its entities and the problems."""
    problems: list[ReadError] = []
    with open_store("memory://") as store:
        report = ingest(store, paths, on_problem=problems.append)
        entities = [entity[f.ID] for entity in store.scan(f.ENTITIES)]
    return report, entities, list(map(str, problems))


@every_log
def test_the_documents_of_a_log_are_stored(store: Store, log: Path) -> None:
    records = records_of(read_log(log))

    report = ingest(store, [log], format=format_named("lstosa"))

    assert counts_of(report) == (1, len(records), len(records), 0, 0, 0)
    assert stored_without_places(store) == together(fold(records))


def test_all_logs_together_are_the_same_as_one_after_another(store: Store) -> None:
    with open_store("memory://") as other:
        ingest(other, [log for log in LOGS for _ in range(2)])

        ingest(store, [NIGHT_LOG])
        ingest(store, [SLIDES_LOG, RUN_LOG])

        assert stored_in(store) == stored_in(other)


def test_reading_again_says_that_all_is_there(store: Store) -> None:
    ingest(store, [SLIDES_LOG])
    before = stored_in(store)

    report = ingest(store, [SLIDES_LOG])

    assert stored_in(store) == before
    assert report.written[f.ACTIVITIES] == WriteCounts(unchanged=2)
    assert sum(counts.added for counts in report.written.values()) == 0
    assert sum(counts.changed for counts in report.written.values()) == 0


def test_a_compressed_log_is_the_same(tmp_path: Path, store: Store) -> None:
    packed = tmp_path / "prov.log.gz"
    packed.write_bytes(gzip.compress(read_log(RUN_LOG)))

    ingest(store, [packed])

    with open_store("memory://") as other:
        ingest(other, [RUN_LOG])
        assert stored_in(store) == stored_in(other)


def places_in(store: Store) -> list[list[dict[str, Any]]]:
    """Return where the records of each activity stand, in the order of their starts."""
    places = [activity[f.RECORDED] for activity in store.scan(f.ACTIVITIES)]
    return sorted(places, key=lambda entries: entries[0][f.START])


def test_an_activity_says_on_which_lines_of_its_log_it_starts_and_ends(
    store: Store,
) -> None:
    ingest(store, [RUN_LOG])

    lines = read_log(RUN_LOG).splitlines()
    starts = [n for n, line in enumerate(lines, 1) if b"'in_session'" in line]
    ends = [n for n, line in enumerate(lines, 1) if b"'endTime'" in line]
    places = places_in(store)
    assert [entry[f.START] for (entry,) in places] == starts
    assert sorted(entry[f.END] for (entry,) in places) == ends
    assert len({entry[f.SOURCE] for (entry,) in places}) == 1


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(lambda log, folder: log, id="same"),
        pytest.param(
            lambda log, folder: copied(folder / "moved.log", read_log(log)), id="moved"
        ),
        pytest.param(
            lambda log, folder: copied(
                folder / "prov.log.gz", gzip.compress(read_log(log))
            ),
            id="compressed",
        ),
        pytest.param(lambda log, folder: BytesIO(read_log(log)), id="standard input"),
    ],
)
def test_a_log_is_the_same_source_wherever_it_lies(
    store: Store, tmp_path: Path, again: Callable[[Path, Path], Path | BinaryIO]
) -> None:
    ingest(store, [RUN_LOG])
    before = stored_in(store)

    report = ingest(store, [again(RUN_LOG, tmp_path)])

    assert stored_in(store) == before
    assert report.written[f.ACTIVITIES].changed == 0


def test_a_log_that_has_grown_is_the_same_source(store: Store, tmp_path: Path) -> None:
    text = read_log(RUN_LOG)
    half = text[: text.index(b"\n", len(text) // 2) + 1]
    ingest(store, [copied(tmp_path / "prov.log", half)])

    ingest(store, [copied(tmp_path / "prov.log", text)])

    with open_store("memory://") as other:
        ingest(other, [RUN_LOG])
        assert stored_in(store) == stored_in(other)


def test_two_logs_are_two_sources_of_what_both_hold(
    store: Store, tmp_path: Path
) -> None:
    text = read_log(SLIDES_LOG)
    later = copied(tmp_path / "later.log", GOOD + text)

    ingest(store, [later])
    ingest(store, [SLIDES_LOG])

    for entries in places_in(store):
        first, second = sorted(entries, key=lambda entry: int(entry[f.START]))
        assert first[f.SOURCE] != second[f.SOURCE]
        assert first[f.START] + 1 == second[f.START]


def copied(path: Path, content: bytes) -> Path:
    """Write a file, and return its path."""
    path.write_bytes(content)
    return path


def test_standard_input_is_read() -> None:
    report, entities, problems = read(BytesIO(GOOD))

    assert counts_of(report) == (1, 1, 1, 0, 0, 0)
    assert (entities, problems) == (["446f45"], [])


def test_many_records_are_written_in_pieces(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_RECORDS_A_WRITE", 7)

    report = ingest(store, [RUN_LOG, NIGHT_LOG])

    records = read_file(RUN_LOG)[0] + records_of(read_log(NIGHT_LOG))
    assert stored_without_places(store) == together(fold(records))
    assert report.records == len(records)


@pytest.mark.parametrize(
    ("between", "counts", "problem"),
    [
        pytest.param(
            b"Traceback (most recent call last):\n",
            (1, 3, 2, 1, 0, 0),
            [],
            id="foreign",
        ),
        pytest.param(b"\n", (1, 3, 2, 1, 0, 0), [], id="empty"),
        pytest.param(
            b"__PROV__t__PROV__{'a': open('x')}\n",
            (1, 3, 2, 0, 1, 0),
            [
                "prov.log:2: no record was read from \"{'a': open('x')}\": "
                "it is no Python literal"
            ],
            id="no literal",
        ),
        pytest.param(
            b"{'entity_id': 1.5}\n",
            (1, 3, 2, 0, 1, 0),
            ["prov.log:2: the entity_id is neither a text nor an integer"],
            id="no record",
        ),
        pytest.param(
            b"{'entity_id': 'e', 'x': 0x" + b"f" * 99_999 + b"}\n",
            (1, 3, 2, 0, 1, 0),
            ["prov.log:2: an integer has too many digits to be stored"],
            id="endless number",
        ),
        pytest.param(
            b"{'session_id': 1, 'system': {'x': " + b"[" * 95 + b"]" * 95 + b"}}\n",
            (1, 3, 2, 0, 1, 0),
            ["prov.log:2: a value is nested more than 90 levels deep"],
            id="deep system",
        ),
        pytest.param(
            b"{'a': '" + b"a" * 2**21 + b"'}\n",
            (1, 3, 2, 0, 1, 0),
            ["prov.log:2: a line of 2097162 bytes is too long for a record"],
            id="long line",
        ),
        pytest.param(
            b"\xff\xfe{'a': 1}\n", (1, 3, 2, 1, 0, 0), [], id="bytes of no text"
        ),
    ],
)
def test_good_lines_around_another_are_stored(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    between: bytes,
    counts: tuple[int, ...],
    problem: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    log = Path("prov.log")
    log.write_bytes(GOOD + between + OTHER)

    report, entities, problems = read(log)

    assert counts_of(report) == counts
    assert entities == ["446f45", "6d2362"]
    assert problems == problem


def test_a_log_that_is_cut_in_mid_line_is_stored_up_to_there(tmp_path: Path) -> None:
    log = tmp_path / "prov.log"
    log.write_bytes(GOOD + OTHER[:-9])

    report, entities, (problem,) = read(log)

    assert counts_of(report) == (1, 2, 1, 0, 1, 0)
    assert entities == ["446f45"]
    assert problem.startswith(f"{log}:2: ")
    assert problem.endswith("the log is cut off in this line")


def test_a_truncated_compressed_log_is_stored_up_to_there(tmp_path: Path) -> None:
    log = tmp_path / "prov.log.gz"
    log.write_bytes(gzip.compress(GOOD + OTHER)[:-8])

    report, entities, (problem,) = read(log)

    assert entities == ["446f45", "6d2362"]
    assert report.skipped == 1
    assert problem.startswith(f"{log}:2: the compressed file is damaged after")


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        pytest.param(
            "dl1.bin", b"DL1\0\0", "it is in none of the formats that", id="binary"
        ),
        pytest.param("p.gz", b"\x1f\x8b\x08", "the compressed file is", id="gzip"),
        pytest.param("missing/p.log", None, "there is no such file", id="missing"),
    ],
)
def test_an_input_that_cannot_be_read_does_not_stop_the_others(
    tmp_path: Path, name: str, content: bytes | None, problem: str
) -> None:
    bad, good = tmp_path / name, tmp_path / "prov.log"
    good.write_bytes(GOOD)
    write = bad.write_bytes if content else lambda _: 0
    write(content or b"")

    report, entities, problems = read(bad, good)

    assert (report.inputs, report.unread) == (1, 1)
    assert entities == ["446f45"]
    assert [text.startswith(f"{bad}: {problem}") for text in problems] == [True]


@pytest.mark.parametrize(
    "content",
    [pytest.param(b"", id="empty"), pytest.param(b"INFO hello\n", id="other")],
)
def test_an_input_without_a_record_is_said(tmp_path: Path, content: bytes) -> None:
    log = tmp_path / "prov.log"
    log.write_bytes(content)

    report, _, problems = read(log)

    assert (report.inputs, report.records) == (1, 0)
    assert problems == [f"{log}: it holds no provenance record"]


def test_a_folder_is_read_with_its_rotated_logs(tmp_path: Path) -> None:
    (tmp_path / "night").mkdir()
    (tmp_path / "night" / "prov.log").write_bytes(GOOD)
    (tmp_path / "night" / "prov.log.1.gz").write_bytes(gzip.compress(OTHER))
    (tmp_path / "dl1.h5").write_bytes(b"\0")

    report, entities, problems = read(tmp_path)

    assert report.inputs == 2
    assert entities == ["446f45", "6d2362"]
    assert problems == []


def test_a_folder_without_logs_is_said(tmp_path: Path) -> None:
    report, _, problems = read(tmp_path)

    assert report.inputs == 0
    assert problems == [f"{tmp_path}: there is no file with provenance in this folder"]


@pytest.mark.parametrize("log", [SLIDES_LOG, NIGHT_LOG], ids=["plain", "compressed"])
def test_progress_comes_to_the_size_of_the_files(log: Path) -> None:
    seen: list[Progress] = []

    with open_store("memory://") as store:
        ingest(store, [log, log], on_progress=lambda p: seen.append(replace(p)))

    size = 2 * log.stat().st_size
    assert seen[-1] == Progress(
        files=2, size_bytes=size, total_files=2, total_bytes=size, is_total_known=True
    )
    assert [step.size_bytes for step in seen] == sorted(s.size_bytes for s in seen)


def test_how_much_a_stream_has_is_unknown() -> None:
    seen: list[Progress] = []

    with open_store("memory://") as store:
        ingest(store, [BytesIO(GOOD)], on_progress=seen.append)

    assert [(step.size_bytes, step.is_total_known) for step in seen] == [
        (len(GOOD), False)
    ]


@pytest.mark.parametrize(
    "broken", [lambda path: path, lambda path: path / "a.db"], ids=["folder", "below"]
)
def test_a_store_that_cannot_be_written_stops_the_reading(
    tmp_path: Path, broken: Callable[[Path], Path]
) -> None:
    (tmp_path / "file").touch()
    place = broken(Path("/dev/null"))

    with open_store(f"sqlite:///{place}") as store, pytest.raises(StoreUnavailable):
        ingest(store, [SLIDES_LOG])
