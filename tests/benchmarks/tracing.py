"""What it costs a pipeline that its functions are traced."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from provdb.capture import trace
from provdb.capture.definition import load_definition
from provdb.capture.handler import ProvHandler
from provdb.capture.sink import recording_to

__all__ = ["seconds_of_traced_call"]

_DEFINITION: Final = Path(__file__).parents[2] / "examples" / "lst_definition.yaml"
_CALLS: Final = 100
_PAUSE_SECONDS: Final = 0.002


def seconds_of_traced_call(name: str) -> tuple[float, float]:
    """Return the median time of a call of a step of the LST, traced and not.

    The environment is captured before; the handler ships into a local store while
    the calls are made, as it does beside a pipeline.

    Args:
        name: The step; every file that it may have is there to be recorded.
    """
    definition = load_definition(_DEFINITION)
    step = definition.activities[name]
    links = (*step.usage, *step.generation)
    found: Mapping[str, Any] = {
        **{
            link.value.text: f"/data/{link.value.text}/dl1_LST-1.Run01807.0003.h5"
            for link in links
            if link.value is not None
        },
        **{parameter.value.text: "01807" for parameter in step.parameters},
    }

    def bare(run: str) -> str:
        return run

    traced = trace(name=name, definition=definition, variables=lambda run: found)(bare)
    with TemporaryDirectory() as folder:
        handler = ProvHandler(f"sqlite://{folder}/provdb.db", spool_dir=folder)
        with recording_to(handler):
            traced("01807")
            taken = _median(traced), _median(bare)
        handler.close()
    return taken


def _median(called: Callable[[str], object]) -> float:
    taken = []
    for _ in range(_CALLS):
        begin = time.perf_counter()
        called("01807")
        taken.append(time.perf_counter() - begin)
        time.sleep(_PAUSE_SECONDS)  # A pipeline does something between its steps.
    return median(taken)
