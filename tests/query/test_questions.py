"""The questions of pipeline developers, on the sample logs; answers checked by hand.

The slides' log has two subruns of run 1618 that never ended; lstosa's has a night of
runs 1807 (subruns 0 to 10) and 1808 (0 to 8), with one calibration and one set of
models. Where a question's own runs are in no sample, the same question about a run
that is stands beside it.
"""

from typing import Any

import pytest

from provdb.query import find
from provdb.store import Store

_MODELS = "/data/models/prod5/zenith_20deg/20201023_v0.6.3"
_R0_1618 = "/fefs/aswg/data/real/R0/20191123/LST-1.1.Run01618.0008.fits.fz"


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        pytest.param(
            "downstream(entity:PedestalFile run:1611) level:DL2",
            [],
            id="which DL2 must be redone: run 1618 never got there",
        ),
        pytest.param(
            "downstream(entity:PedestalFile run:1804) level:DL2 type:File"
            " | count by run",
            [{"run": 1807, "count": 12}, {"run": 1808, "count": 10}],
            id="which DL2 must be redone: all subruns, and a merged file a run",
        ),
        pytest.param(
            "upstream(path:*dl2*Run01618.0008*) entity:RFModel*",
            [],
            id="which models: there is no such DL2",
        ),
        pytest.param(
            "upstream(path:*dl2*Run01807.0008*) entity:RFModel* | select path",
            [
                {"path": f"{_MODELS}/cls_gh.sav"},
                {"path": f"{_MODELS}/reg_disp_norm.sav"},
                {"path": f"{_MODELS}/reg_disp_sign.sav"},
                {"path": f"{_MODELS}/reg_energy.sav"},
            ],
            id="which models: the four of dl1_to_dl2",
        ),
        pytest.param(
            "config.tailcut.picture_thresh:6 date:20191101..20191130 level:DL1",
            [],
            id="picture threshold: the samples copied no configuration",
        ),
        pytest.param(
            "level:R0 run:2007 -upstream(level:DL2 run:2007)",
            [],
            id="subruns without DL2: no such run",
        ),
        pytest.param(
            "level:R0 -upstream(level:DL2) | select path",
            [{"path": _R0_1618}],
            id="subruns without DL2: that of the slides",
        ),
        pytest.param(
            "date:20200218 (status:failed OR end is unknown)",
            [],
            id="failed or unfinished: nothing that night",
        ),
        pytest.param(
            "date:20191123 (status:failed OR end is unknown)"
            " | select session_id,subrun,status",
            [
                {"session_id": "8739478486569", "subrun": 8, "status": "running"},
                {"session_id": "8773094569769", "subrun": 6, "status": "running"},
            ],
            id="failed or unfinished: both subruns of the slides",
        ),
        pytest.param(
            "activity:r0_to_dl1 date:20200218 | p95 duration by node",
            [],
            id="slowest step: nothing that night",
        ),
        pytest.param(
            "activity:r0_to_dl1 date:20200117 | p95 duration by node",
            [{"node": "vm", "p95_duration": 0.009}],
            id="slowest step: one machine",
        ),
        pytest.param(
            "upstream(run:1618 level:DL2) | unique software.lstchain",
            [],
            id="software: no DL2 of that run",
        ),
        pytest.param(
            "upstream(run:1807 level:DL2) | unique software.ctapipe",
            [{"software.ctapipe": "0.25.1", "count": 38}],
            id="software: 12 + 12 + 12 steps of the run and 2 calibrations",
        ),
        pytest.param(
            "downstream(path:*calibration.Run01614*) activity:r0_to_dl1 | unique run",
            [],
            id="runs calibrated: the file is written Run1614",
        ),
        pytest.param(
            "downstream(path:calibration.Run1614*) activity:r0_to_dl1 | unique run",
            [{"run": 1618, "count": 1}],
            id="runs calibrated: only subrun 8 says what it used",
        ),
        pytest.param(
            "hash:446f45dd* | select path,run,prod",
            [{"path": _R0_1618, "run": 1618, "prod": None}],
            id="same content: one path",
        ),
        pytest.param(
            'session_tag:"r0_to_dl1:01618" | count by activity,status',
            [{"activity": "r0_to_dl1", "status": "running", "count": 2}],
            id="everything of one tag",
        ),
        pytest.param(
            "-agent:lstanalyzer level in (DL1, DL2) type:File | count by run,level",
            [
                {"run": 1807, "level": "DL1", "count": 35},
                {"run": 1807, "level": "DL2", "count": 12},
                {"run": 1808, "level": "DL1", "count": 29},
                {"run": 1808, "level": "DL2", "count": 10},
            ],
            id="not the official account: all of the dry run, by Anonymous",
        ),
    ],
)
def test_a_question(samples: Store, query: str, answer: list[dict[str, Any]]) -> None:
    assert list(find(samples, query)) == answer
