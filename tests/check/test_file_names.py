"""What names of files say that is wrong: placeholders, and other telescopes."""

from collections.abc import Sequence
from pathlib import PurePath

import pytest

from provdb.check import check
from provdb.store import Store
from tests.lineage.histories import File, Step, file, remember


@pytest.mark.parametrize(
    ("path", "placeholder"),
    [
        ("/DL1/dl1_LST-1.Run{run}.h5", "{run}"),
        ("/DL1/dl1_LST-1.Run{run:05d}.{subrun:04d}.h5", "{run:05d}, {subrun:04d}"),
        ("/DL1/${RUN}/dl1.h5", "${RUN}"),
        ("/DL1/$NIGHT/dl1.h5", "$NIGHT"),
        ("/DL1/dl1_%(run)s.h5", "%(run)s"),
        ("/DL1/dl1_{{ run }}.h5", "{{ run }}"),
        ("/DL1/dl1_<run>.h5", "<run>"),
        ("/DL1/dl1_{}.h5", "{}"),
    ],
)
def test_a_placeholder_in_a_path_is_found(
    memory: Store, path: str, placeholder: str
) -> None:
    written = file(path)
    remember(memory, written)

    (finding,) = check(memory).findings

    assert (finding.kind, finding.step) == ("placeholder", None)
    assert finding.detail == f"{placeholder} in {PurePath(path).name}"
    assert (finding.example, finding.location) == (written.id, path)
    assert finding.sentence == (
        f"The path {path} has the placeholder {placeholder}: nothing put a value there."
    )


@pytest.mark.parametrize(
    "path",
    [
        "/DL1/dl1_LST-1.Run01618.0008.h5",
        "/DL1/100%/a$b/c.h5",
        "/DL1/{a,b}/c.h5",
        "file:///DL1/a%20data.h5",
        "/DL1/a<b.h5",
    ],
)
def test_a_path_without_placeholders_is_right(memory: Store, path: str) -> None:
    remember(memory, file(path))

    assert check(memory).findings == ()


def test_placeholders_are_found_in_every_store(store: Store) -> None:
    remember(
        store, file("/DL1/dl1_{run}.h5"), file("/R0/LST-1.1.Run01618.0008.fits.fz")
    )

    assert [finding.kind for finding in check(store).findings] == ["placeholder"]


def _raw(telescope: int) -> File:
    return file(f"/R0/LST-{telescope}.1.Run21003.0000.fits.fz")


def _dl1(telescope: int) -> File:
    return file(f"/DL1/dl1_LST-{telescope}.Run21003.0000.h5")


@pytest.mark.parametrize(
    ("used", "generated", "detail"),
    [
        pytest.param(
            [_raw(1)],
            [_dl1(2)],
            "used files of LST-1 and generated files of LST-2",
            id="another one",
        ),
        pytest.param(
            [_raw(1), _raw(2)],
            [_dl1(2)],
            "used files of LST-1 and LST-2 and generated files of LST-2",
            id="one more",
        ),
    ],
)
def test_a_step_that_mixes_telescopes_is_found(
    store: Store, used: Sequence[File], generated: Sequence[File], detail: str
) -> None:
    step = Step(name="r0_to_dl1", used=used, generated=generated)
    remember(store, step)

    findings = [one for one in check(store).findings if one.kind == "across telescopes"]

    assert [(one.step, one.detail, one.count) for one in findings] == [
        ("r0_to_dl1", detail, 1)
    ]
    assert "LST-" in str(findings[0].location)
    assert findings[0].sentence == f"r0_to_dl1 {detail}."


@pytest.mark.parametrize(
    ("used", "generated"),
    [
        pytest.param([_raw(1)], [_dl1(1)], id="one telescope"),
        pytest.param([_raw(1), _raw(2)], [_dl1(1), _dl1(2)], id="two telescopes"),
        pytest.param([_raw(1), _raw(2)], [file("/DL2/stereo.h5")], id="stereo"),
        pytest.param([file("/cal/drs4.h5")], [_dl1(1)], id="no telescope named"),
    ],
)
def test_files_of_the_same_telescopes_are_right(
    memory: Store, used: Sequence[File], generated: Sequence[File]
) -> None:
    remember(memory, Step(name="r0_to_dl1", used=used, generated=generated))

    found = [one for one in check(memory).findings if one.kind == "across telescopes"]

    assert found == []
