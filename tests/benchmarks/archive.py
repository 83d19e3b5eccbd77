"""An archive of many nights: the documents of one, told again with other numbers.

Reading the logs of a year takes long, and what a query finds does not depend on how
the documents came into the store.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any

from provdb.model import Folder, location_id, session_key
from provdb.model.ids import activity_key
from provdb.readers import read_lines, read_records
from tests.benchmarks.night import Night, lines

__all__ = ["FIRST_RUN", "RUNS_A_NIGHT", "Documents", "archive", "date_of"]

_FIRST_DATE = date(2020, 1, 1)
FIRST_RUN = 2002
RUNS_A_NIGHT = 10
_NODES = 12
_MINUTES = 20
_BETWEEN_STEPS = timedelta(minutes=30)
_STEPS = (
    *("drs4_pedestal", "calibrate_charge", "r0_to_dl1", "dl1ab", "dl1_datacheck"),
    *("dl1_to_dl2", "merge_dl2", "dl2_to_dl3"),
)
# All numbers of runs of the night that is told again start so.
_RUNS = "020"
_TOLD = re.compile(rf"20200101|2020-01-01|2020-01-02|(?<!\d){_RUNS}(?=\d\d(?!\d))")
# What differs from night to night, beside ids.
_OF_ENTITY = ("date", "file_name", "location", "run", "session_tags")
_OF_ACTIVITY = (
    "arguments",
    "end",
    "run",
    "session_id",
    "session_tag",
    "start",
    "written",
)
Documents = Mapping[str, Sequence[dict[str, Any]]]


def archive(*, nights: int, subruns: int) -> Iterator[Documents]:
    """Yield the documents of one night after another, by collection, each once.

    A night has ten runs, whose steps ran on twelve machines for twenty minutes or so
    each; one in a hundred failed.

    Args:
        nights: How many nights.
        subruns: Subruns of every run.
    """
    first = _first_night(subruns=subruns)
    known = set[str]()
    for number in range(nights):
        night = _Retold(number).night(first)
        yield {
            name: [document for document in told if document["_id"] not in known]
            for name, told in night.items()
        }
        # What all nights have in common: models, configuration, machines.
        known |= {d["_id"] for d in (*night["entities"], *night["environments"])}


def date_of(night: int) -> str:
    """Return the date of a night, as in paths.

    >>> date_of(31)
    '20200201'
    """
    return f"{_FIRST_DATE + timedelta(days=night):%Y%m%d}"


def _first_night(*, subruns: int) -> dict[str, list[dict[str, Any]]]:
    night = Night(
        date=date_of(0),
        start=datetime(2020, 1, 2, 8),
        pedestal_run=FIRST_RUN - 2,
        calibration_run=FIRST_RUN - 1,
        first_run=FIRST_RUN,
        runs=RUNS_A_NIGHT,
        subruns=subruns,
    )
    folder = Folder()
    text = BytesIO("\n".join(lines(night)).encode())
    found = read_lines(text, "a night", on_problem=_refuse)
    for _, record in read_records(found, on_problem=_refuse):
        folder.add(record)
    documents = {name: list(told) for name, told in folder.take().items()}
    (environment,) = documents["environments"]
    documents["environments"] = [
        {**environment, "_id": f"{machine:064x}", "node": f"cp{machine:02d}"}
        for machine in range(_NODES)
    ]
    for number, activity in enumerate(documents["activities"]):
        machine = number * 7 % _NODES
        activity["environment"] = f"{machine:064x}"
        activity["node"] = f"cp{machine:02d}"
        lasted = (number * 7919) % (_MINUTES * 60_000) + 60_000
        # A step begins when those before it have ended.
        activity["start"] += _STEPS.index(activity["name"]) * _BETWEEN_STEPS
        activity["end"] = activity["start"] + timedelta(milliseconds=lasted)
        if number % 100 == 99:
            activity["status"] = "failed"
    return documents


class _Retold:
    """Tells the first night again, as another one."""

    def __init__(self, number: int) -> None:
        day = _FIRST_DATE + timedelta(days=number)
        self._number = number
        self._later = timedelta(days=number)
        self._more_runs = 100 * number
        self._words = {
            "20200101": f"{day:%Y%m%d}",
            "2020-01-01": f"{day:%Y-%m-%d}",
            "2020-01-02": f"{day + timedelta(days=1):%Y-%m-%d}",
            _RUNS: f"{int(_RUNS) + number:03d}",
        }
        self._ids: dict[str, str] = {}

    def night(self, first: Documents) -> Documents:
        told = {"environments": first["environments"], "files": first["files"]}
        told["entities"] = [self._entity(entity) for entity in first["entities"]]
        told["sessions"] = [self._session(session) for session in first["sessions"]]
        told["activities"] = [self._activity(a) for a in first["activities"]]
        return told

    def _entity(self, entity: dict[str, Any]) -> dict[str, Any]:
        told = {**entity, **self._of(entity, _OF_ENTITY)}
        told["_id"] = told["hash"] = location_id(told["location"])
        self._ids[entity["_id"]] = told["_id"]
        return told

    def _session(self, session: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = self._told(session)
        told["_id"] = session_key(told["session_tag"], told["session_id"])
        return told

    def _activity(self, activity: dict[str, Any]) -> dict[str, Any]:
        told = {**activity, **self._of(activity, _OF_ACTIVITY)}
        # No two nights last alike.
        told["end"] += timedelta(milliseconds=137 * self._number)
        told["_id"] = activity_key(
            told["session_tag"],
            told["session_id"],
            told["activity_id"],
            told["written"]["startTime"],
        )
        for name in ("used", "generated"):
            told[name] = [
                {**link, "entity": self._ids[link["entity"]]} for link in activity[name]
            ]
        return told

    def _of(self, document: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
        told: dict[str, Any] = self._told(
            {name: document[name] for name in names if name in document}
        )
        return told

    def _told(self, value: Any) -> Any:
        if isinstance(value, str):
            return _TOLD.sub(self._word, value)
        if isinstance(value, datetime):
            return value + self._later
        if isinstance(value, list):
            return [self._told(item) for item in value]
        if isinstance(value, dict):
            told = {name: self._told(item) for name, item in value.items()}
            if isinstance(told.get("run"), int) and FIRST_RUN - 2 <= told["run"] < 2100:
                told["run"] += self._more_runs
            return told
        return value

    def _word(self, found: re.Match[str]) -> str:
        return self._words[found.group()]


def _refuse(problem: Exception) -> None:
    raise problem
