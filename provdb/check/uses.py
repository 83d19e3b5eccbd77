"""Uses of files against the writes of them: content, order of times, and origin."""

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any, Final, NamedTuple

from provdb.check.report import Fault, Findings
from provdb.check.used_contents import UsedContents
from provdb.check.writes import Write, find_writes
from provdb.lineage import LinkRule, WalkOptions, lineage
from provdb.model import Document, file_name, is_copy_of, is_file
from provdb.model import fields as f
from provdb.store import Store
from provdb.store.base import batches

__all__ = ["UseCheck", "is_data_product"]

_DATA_LEVELS: Final = ("DL0", "DL1", "DL2", "DL3", "DL4", "DL5")
_CALIBRATION: Final = "calibration"
_GAP: Final = "gap"
# Made once in months: like a model it may be older than all that is stored.
_LONG_TERM: Final = re.compile(r"time_?calib|time_sampling|systematic", re.IGNORECASE)


class UseCheck:
    """Compares what activities used with what is known to have been written."""

    def __init__(
        self,
        store: Store,
        *,
        findings: Findings,
        rules: Collection[LinkRule] | None = None,
    ) -> None:
        """Compare nothing yet.

        Args:
            store: Where the documents are.
            findings: Where to add what is wrong.
            rules: The link rules that may bridge gaps between files.
        """
        self._store = store
        self._findings = findings
        self._options = WalkOptions(rules=rules, depth=1)
        self._is_dangling: dict[str, bool] = {}
        self._used_contents = UsedContents()

    def check(
        self, activities: Iterable[Document], *, entities: Mapping[str, Document]
    ) -> None:
        """Find what contradicts the writes of what some activities used.

        Args:
            activities: The activities; their starts are known.
            entities: The described entities of their links, by id.
        """
        uses = [use for one in activities for use in _uses(one, entities)]
        writes = find_writes(self._store, (use.file[f.ID] for use in uses))
        unmade: list[_Use] = []
        for use in uses:
            others = [
                write
                for write in writes.get(use.file[f.ID], ())
                if write.activity != use.activity[f.ID]
            ]
            self._check_content(use, others)
            if not others:
                unmade.append(use)
                self._remember_content(use, writes)
                continue
            undamaged = [write for write in others if not write.is_damaged]
            if undamaged and not any(w.may_precede(use.activity) for w in undamaged):
                if all(write.is_later(use.activity) for write in undamaged):
                    unmade.append(use)
                else:
                    self._add_time_conflict(use, undamaged)
        self._check_unmade(unmade, writes)

    def check_used_contents(self) -> None:
        """Find data that nobody wrote and that changed, when all uses are known."""
        self._used_contents.check(self._store, findings=self._findings)

    def _remember_content(self, use: "_Use", writes: Collection[str]) -> None:
        # Configuration and models may change between two steps; data may not.
        is_data = use.file.get(f.LEVEL) is not None
        if is_data and use.content is not None and use.file[f.ID] not in writes:
            self._used_contents.add(use.file, use.content)

    def _check_content(self, use: "_Use", others: Collection[Write]) -> None:
        """Find a content that no write explains."""
        wanted = use.content
        if wanted is None or is_copy_of(use.file, _all_sources(use.file)):
            return
        before = [write for write in others if not write.is_later(use.activity)]
        # Digests of another length are of another method.
        recorded = {
            write.activity: {one for one in write.hashes if len(one) == len(wanted)}
            for write in others
        }
        if not before or any(wanted in hashes for hashes in recorded.values()):
            return
        last = max(before, key=_order_of_write)
        if not recorded[last.activity]:
            return
        location = use.file[f.LOCATION]
        step = use.activity.get(f.NAME)
        told = f"is not what {last.name} wrote"
        self._findings.add(
            Fault(
                "content conflict",
                step,
                f"{file_name(location)} {told}",
                use.file[f.ID],
            ),
            use.activity,
            file=use.file,
            sentence=(
                f"The content of {location} that {step} used {told}: its recorded "
                f"hash is {wanted}, not {min(recorded[last.activity])}."
            ),
        )

    def _add_time_conflict(self, use: "_Use", writes: Iterable[Write]) -> None:
        step = use.activity.get(f.NAME)
        names = sorted({str(write.name) for write in writes})
        role = f" as {use.role}" if use.role is not None else ""
        detail = f"used{role} before {' or '.join(names)} had written it"
        location = use.file[f.LOCATION]
        self._findings.add(
            Fault("time conflict", step, detail),
            use.activity,
            file=use.file,
            sentence=(
                f"{step} used {location} before {' or '.join(names)} had written it, "
                "by the clocks."
            ),
        )

    def _check_unmade(
        self, uses: Iterable["_Use"], writes: Mapping[str, list[Write]]
    ) -> None:
        """Find the data products among the inputs that nobody is known to have made."""
        products = [use for use in uses if is_data_product(use.file)]
        if not products:
            return
        others = self._other_places(products)
        for use in products:
            places = others.get(use.file[f.ID], ())
            if use.file[f.ID] in writes:
                # In a folder to which it was moved: link rules follow it.
                is_dangling = not places
            else:
                is_dangling = self._comes_from_nothing(use.file)
            if is_dangling:
                self._add_dangling(use, places, is_later=use.file[f.ID] in writes)

    def _other_places(self, uses: Iterable["_Use"]) -> dict[str, list[str]]:
        """Return the other places of written files of the same name, by entity."""
        files = {use.file[f.ID]: use.file for use in uses}
        names = {id_: file_name(file[f.LOCATION]) for id_, file in files.items()}
        namesakes: dict[str, list[Document]] = {}
        for batch in batches(sorted(set(names.values()))):
            for document in self._store.named(batch):
                if is_file(document):
                    name = file_name(document[f.LOCATION])
                    namesakes.setdefault(name, []).append(document)
        candidates = {one[f.ID] for some in namesakes.values() for one in some}
        written = find_writes(self._store, candidates)
        return {
            id_: sorted(
                one[f.LOCATION]
                for one in namesakes.get(name, ())
                if one[f.ID] != id_
                and one[f.ID] in written
                and one.get(f.TELESCOPE) == files[id_].get(f.TELESCOPE)
            )
            for id_, name in names.items()
        }

    def _comes_from_nothing(self, file: Document) -> bool:
        """Say whether lineage knows nothing that an unwritten file came from."""
        id_ = file[f.ID]
        if id_ not in self._is_dangling:
            answer = lineage(self._store, id_, options=self._options)
            (asked,) = (node for node in answer.nodes if node.id == answer.start)
            self._is_dangling[id_] = not answer.edges and asked.origin == _GAP
        return self._is_dangling[id_]

    def _add_dangling(
        self, use: "_Use", places: Collection[str], *, is_later: bool
    ) -> None:
        step = use.activity.get(f.NAME)
        location = use.file[f.LOCATION]
        what = "it was written only afterwards" if is_later else "nobody made it"
        sentence = f"{step} used {location}, and no step is known to have made it"
        next_step = None
        if is_later:
            sentence += " before"
        if places:
            first = min(places)
            what += f"; one was made in {posixpath.dirname(first)}"
            sentence += f"; a step made {first}, which has the same name"
            next_step = (
                "if both are one file, say so: provdb db alias add, or a link rule"
            )
        self._findings.add(
            Fault(
                "dangling input", step, f"{file_name(location)}: {what}", use.file[f.ID]
            ),
            use.activity,
            file=use.file,
            sentence=f"{sentence}.",
            next_step=next_step,
        )


class _Use(NamedTuple):
    activity: Document
    file: Document
    role: str | None
    content: str | None


def is_data_product(entity: Document) -> bool:
    """Say whether a file is made by a step of a pipeline: data, or a calibration.

    Raw data is not; neither is configuration, a model, a catalogue, a simulation, or a
    calibration that many nights use.

    >>> is_data_product({"location": "/DL1/dl1_LST-1.Run01807.0003.h5", "level": "DL1"})
    True
    >>> is_data_product({"location": "/cfg/calibration.json", "level": None})
    False
    """
    if not is_file(entity) or entity.get(f.PARTICLE) is not None:
        return False
    if entity.get(f.LEVEL) in _DATA_LEVELS:
        return True
    if entity.get(f.DATA_KIND) != _CALIBRATION or entity.get(f.RUN) is None:
        return False
    named = f"{entity.get(f.NAME) or ''} {file_name(entity[f.LOCATION])}"
    return _LONG_TERM.search(named) is None


def _uses(activity: Document, entities: Mapping[str, Document]) -> Iterator[_Use]:
    """Yield the uses of files that are described; a dry run uses nothing."""
    if activity.get(f.DRY_RUN):
        return
    for link in activity.get(f.USED, ()):
        entity = entities.get(link[f.ENTITY])
        if entity is not None and is_file(entity):
            content = link.get(f.HASH)
            yield _Use(
                activity,
                entity,
                link.get(f.ROLE),
                None if not content else str(content).lower(),
            )


def _all_sources(entity: Mapping[str, Any]) -> list[str]:
    return list(map(itemgetter(f.ENTITY), entity.get(f.DERIVED_FROM, ())))


def _order_of_write(write: Write) -> tuple[bool, datetime | float, str]:
    time = write.end or write.start
    return time is not None, 0.0 if time is None else time.timestamp(), write.activity
