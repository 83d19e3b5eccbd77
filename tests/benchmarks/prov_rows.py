"""The rows of documents: a thousand subruns for other tools."""

from collections.abc import Callable, Iterator, Mapping

from provdb.export import export, prov_document
from provdb.lineage import lineage
from provdb.store import open_store
from tests.benchmarks.measure import Line, at_most, in_turns
from tests.benchmarks.stage import Stage

__all__ = ["PROV_ROWS"]

_DL3 = "dl3_LST-1.Run01807.fits"
_SECONDS = 2.0


def _documents(stage: Stage, *, rounds: int) -> Iterator[Line]:
    with open_store(stage.large_local_run()) as store:
        answer = lineage(store, _DL3)
        ours, library = in_turns(
            rounds,
            lambda: export(lineage(store, _DL3), store, format_name="prov-json"),
            lambda: prov_document(answer, store).serialize(format="json"),
        )
    what = f"{stage.scale.drawn_subruns} subruns, asked for and written as PROV-JSON"
    yield at_most(f"{what} | 2 s", ours, _SECONDS, 1)
    yield at_most(f"{what} | by the library of PROV, unasked", ours, library, 0.5)


PROV_ROWS: Mapping[str, Callable[..., Iterator[Line]]] = {"prov": _documents}
