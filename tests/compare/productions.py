"""Write runs that were processed in one way or another, as records."""

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from provdb.model import Record, fold, format_time, location_id
from provdb.store import Store

__all__ = ["Production", "remember"]

_COMMIT = "0f3c2a6d9b1e4f5a8c7d6e5b4a39281706f5e4d3"
_DATA = "/fefs/aswg/data/real"


@dataclass(frozen=True, slots=True, kw_only=True)
class Production:
    """How a run was processed, from R0 to DL2.

    Attributes:
        run: Number of the run.
        subruns: Numbers of its subruns.
        night: Night of the observation, as in the paths.
        pedestal: Path of the pedestal file.
        models: Folder of the random forests.
        threshold: A parameter of r0_to_dl1.
        config: Content of the configuration of dl1_to_dl2.
        config_path: Its path.
        has_copies: Whether the configuration was copied into the store.
        hashes: Hash of the content of the pedestal file, where it was recorded.
        packages: Versions of packages; none where no environment was recorded.
        version: What the sessions call the software.
        node: Name of the machine.
        commit: Commit of the code.
        status: How dl1_to_dl2 ended.
        seconds: Duration of dl1_to_dl2.
        start: Start of the first step.
        folder: Folder of the products.
    """

    run: int = 1807
    subruns: tuple[int, ...] = (0, 1)
    night: str = "20200117"
    pedestal: str = "/cal/v03/drs4_pedestal.Run01804.0000.h5"
    models: str = "/models/v1"
    threshold: float = 6
    config: bytes = b'{"tailcut": {"picture_thresh": 8, "boundary_thresh": 4}}'
    config_path: str = "/software/lstchain_standard_config.json"
    has_copies: bool = True
    hash: str | None = None
    packages: dict[str, str] = field(default_factory=lambda: {"lstchain": "0.12.3"})
    version: str = "v0.12.3"
    node: str = "cp15"
    commit: str = _COMMIT
    status: str = "completed"
    seconds: float = 60
    start: datetime = datetime(2020, 1, 18, 8, tzinfo=UTC)
    folder: str = "v0.1.0"

    def name(self, level: str, subrun: int) -> str:
        """Return the path of the file of a level."""
        number = f"Run{self.run:05d}.{subrun:04d}"
        if level == "R0":
            return f"{_DATA}/R0/{self.night}/LST-1.1.{number}.fits.fz"
        folder = f"{_DATA}/{level}/{self.night}/{self.folder}"
        return f"{folder}/{level.lower()}_LST-1.{number}.h5"

    def records(self) -> list[Record]:
        """Return the records that a pipeline would have written about it."""
        return [
            record
            for place, subrun in enumerate(self.subruns)
            for record in (
                *self._r0_to_dl1(subrun, self.start + timedelta(minutes=10 * place)),
                *self._dl1_to_dl2(subrun, self.start + timedelta(hours=1 + place)),
            )
        ]

    def _r0_to_dl1(self, subrun: int, start: datetime) -> list[Record]:
        used = {
            "Observation subrun": self.name("R0", subrun),
            "Pedestal file": self.pedestal,
            "Pointing file": f"{_DATA}/DrivePosition_log_{self.night}.txt",
        }
        parameters = {
            "ObservationRun": f"{self.run:05d}",
            "ObservationSubRun": f"{subrun:04d}",
            "picture_threshold": self.threshold,
        }
        made = {"DL1 subrun dataset": self.name("DL1", subrun)}
        return self._activity(
            "r0_to_dl1", subrun, used, made, parameters, start, seconds=50
        )

    def _dl1_to_dl2(self, subrun: int, start: datetime) -> list[Record]:
        used = {
            "DL1 subrun dataset": self.name("DL1", subrun),
            "Analysis configuration file": self.config_path,
            "RFModelEnergyFile": f"{self.models}/reg_energy.sav",
        }
        made = {"DL2 subrun dataset": self.name("DL2", subrun)}
        records = self._activity(
            "dl1_to_dl2",
            subrun,
            used,
            made,
            {},
            start,
            seconds=self.seconds,
            status=self.status,
        )
        if not self.has_copies:
            return records
        copy = {
            "file_id": sha256(self.config).hexdigest(),
            "filepath": self.config_path,
            "size": len(self.config),
            "content": b64encode(self.config).decode(),
            "session_tag": f"dl1_to_dl2:{self.run:05d}",
            "activity_id": records[0]["activity_id"],
        }
        return [*records, copy]

    def _activity(
        self,
        step: str,
        subrun: int,
        used: dict[str, str],
        made: dict[str, str],
        parameters: dict[str, Any],
        start: datetime,
        *,
        seconds: float,
        status: str = "completed",
    ) -> list[Record]:
        tag = f"{step}:{self.run:05d}"
        began = format_time(start)
        id_ = sha256(f"{step} {self.run} {subrun} {began}".encode()).hexdigest()[:24]
        this = {"activity_id": id_, "session_tag": tag}
        records: list[Record] = [
            {**this, "name": step, "startTime": began, "in_session": id_}
            | {"session_start": began}
        ]
        records += [{**this, "parameters": parameters}] if parameters else []
        for relation, links in (("used", used), ("generated", made)):
            for role, path in links.items():
                link = {f"{relation}_id": location_id(path), f"{relation}_role": role}
                if role == "Pedestal file" and self.hash is not None:
                    link["used_hash"] = self.hash
                entity = {"entity_id": location_id(path), "filepath": path}
                records += [{**entity, "name": role, "type": "File"}, {**this, **link}]
        ended = format_time(start + timedelta(seconds=seconds))
        records.append({**this, "endTime": ended, "status": status})
        session = {
            "session_tag": tag,
            "session_id": id_,
            "startTime": began,
            "observation_date": self.night,
            "software_version": self.version,
        }
        packages = [{"name": n, "version": v} for n, v in self.packages.items()]
        system = {
            "platform": {"node": self.node},
            "python": {"version": "3.11.7", "packages": packages},
            "git": {"commit": self.commit, "dirty": False},
        }
        known = {"system": system} if self.packages else {}
        return [*records, session | known]


def remember(store: Store, *productions: Production) -> Store:
    """Write productions into a store, and return the store."""
    for production in productions:
        store.write(fold(production.records()))
    return store
