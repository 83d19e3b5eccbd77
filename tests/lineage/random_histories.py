"""Draw histories at random: small, and with all that real ones have gone wrong in.

Entities are few, so that everything meets: overwritten files, loops, merged products,
failed steps, clocks that differ, derivations in a circle, and files that the link
rules bridge.
"""

from dataclasses import dataclass, replace

from hypothesis import strategies as st

from tests.lineage.histories import File, Step, collection, file, undescribed

__all__ = ["RandomHistory", "histories"]

_FOLDERS = ("/a", "/a/v1", "/a/v1/sub", "/a/v2")
# Link rules bridge the files of one name, if they are of the right kind.
_DL1 = [
    file(f"{folder}/dl1_LST-1.Run00001.0000.h5", "DL1SubrunDataset")
    for folder in _FOLDERS
]
_PEDESTALS = [
    *(file(f"{folder}/drs4.Run00002.h5", "PedestalFile") for folder in _FOLDERS),
    file("/a/v3/drs4.Run00002.h5", "AnalysisConfigFile"),
]
_PLAIN = [file("/b/plain.txt"), file("/c/plain.txt")]
_OTHERS = [
    collection("c011ec7101"),
    collection("c011ec7102", "R0Collection", "/R0/"),
    undescribed("0dd0dd0dd1"),
    undescribed("0dd0dd0dd2"),
]
_WITHOUT_GAPS = [
    *(
        file(f"/b/{name}")
        for name in ("dl1_plain.h5", "notes.txt", "dl2_plain.h5", "table.ecsv")
    ),
    *_OTHERS,
]
_TIMES = st.integers(0, 6)
_CONTENTS = st.sampled_from([None, None, None, "aa", "bb"])


@dataclass(frozen=True, slots=True)
class RandomHistory:
    """Entities and the steps that used and generated them."""

    files: tuple[File, ...]
    steps: tuple[Step, ...]

    @property
    def parts(self) -> tuple[Step | File, ...]:
        """Everything that there is to write."""
        return (*self.files, *self.steps)

    def until(self, time: float) -> "RandomHistory":
        """Return the history as it was at a time: what is still running has no end."""
        begun = [s for s in self.steps if s.start is None or s.start <= time]
        steps = [
            replace(s, id=s.activity_id, end=None)
            if s.end is not None and s.end > time
            else s
            for s in begun
        ]
        return replace(self, steps=tuple(steps))

    def was_written_later(self, entity: str, time: float) -> bool:
        """Say whether an entity was generated, and only after a time."""
        return _is_generated(entity, self.steps) and not _is_generated(
            entity, self.until(time).steps
        )


@st.composite
def histories(draw: st.DrawFn, *, with_gaps: bool = True) -> RandomHistory:
    """Draw a history.

    Args:
        draw: Given by hypothesis.
        with_gaps: Whether files have names that link rules bridge.
    """
    pools = [
        _DL1 + _PEDESTALS + _PLAIN + _OTHERS,
        _DL1 + _OTHERS[:1],
        _PEDESTALS + _PLAIN,
    ]
    pool = draw(st.sampled_from(pools)) if with_gaps else _WITHOUT_GAPS
    chosen = draw(
        st.lists(
            st.sampled_from(pool),
            min_size=3,
            max_size=6,
            unique_by=lambda one: one.id,
        )
    )
    some = st.lists(st.sampled_from(chosen), max_size=2, unique_by=lambda one: one.id)
    none: st.SearchStrategy[list[File]] = st.just([])
    few = st.one_of(none, none, some)
    files = [one.derived(*draw(few)).holding(*draw(few)) for one in chosen]
    count = draw(st.sampled_from([1, 2, 3, 4, 4, 5, 6, 7, 8]))
    steps = [draw(_steps(files, id_=f"{index:06x}")) for index in range(count)]
    return RandomHistory(tuple(files), tuple(steps))


@st.composite
def _steps(draw: st.DrawFn, files: list[File], *, id_: str) -> Step:
    start = draw(st.one_of(_TIMES, _TIMES, _TIMES, st.none()))
    lasts = draw(st.one_of(_TIMES, _TIMES, _TIMES, st.none()))
    end = None if lasts is None else (start or 0) + lasts / 2
    links = st.builds(File.link, st.sampled_from(files), content=_CONTENTS)
    # Mostly some, for a step that has neither is nowhere in a lineage.
    some = st.lists(links, min_size=1, max_size=3)
    few_links = st.one_of(some, some, some, st.lists(links, max_size=1))
    return Step(
        name=draw(st.sampled_from("pq")),
        used=draw(few_links),
        generated=draw(few_links),
        start=start,
        end=end,
        status=draw(st.sampled_from([None, None, None, "failed", "interrupted"])),
        tag=draw(st.sampled_from(["p:00001", "q:00002"])),
        session=draw(st.sampled_from(["s1", "s2"])),
        id=id_,
    )


def _is_generated(entity: str, steps: tuple[Step, ...]) -> bool:
    return any(
        (one.file if not isinstance(one, File) else one).id == entity
        for step in steps
        for one in step.generated
    )
