"""The rows of pictures: a thousand subruns as a PDF and as a page."""

from collections.abc import Callable, Iterator, Mapping

from provdb.export import export
from provdb.lineage import lineage
from provdb.store import open_store
from tests.benchmarks.measure import Line, in_turns, time_text
from tests.benchmarks.stage import Stage

__all__ = ["GRAPH_ROWS"]

_DL3 = "dl3_LST-1.Run01807.fits"
_PDF_SECONDS = 3.0


def _graphs(stage: Stage, *, rounds: int) -> Iterator[Line]:
    with open_store(stage.large_local_run()) as store:

        def exported(format_name: str) -> Callable[[], bytes]:
            return lambda: export(lineage(store, _DL3), store, format_name=format_name)

        pdf, page = in_turns(rounds, exported("pdf"), exported("html"))
    what = f"{stage.scale.drawn_subruns} subruns, asked for and written as"
    yield Line(
        what=f"{what} a collapsed PDF | 3 s",
        ours=time_text(pdf),
        baseline=time_text(_PDF_SECONDS),
        ratio=pdf / _PDF_SECONDS,
        at_most=1,
    )
    yield Line(
        what=f"{what} a page | the PDF",
        ours=time_text(page),
        baseline=time_text(pdf),
        ratio=page / pdf,
    )


GRAPH_ROWS: Mapping[str, Callable[..., Iterator[Line]]] = {"graphs": _graphs}
