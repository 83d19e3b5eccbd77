"""The commands that made a file: a script that runs, and says what it lacks."""

import os
import subprocess
import sys
from base64 import b64encode
from hashlib import new, sha256
from pathlib import Path
from typing import Any

import pytest

from provdb.model import fold
from provdb.reproduce import recipe
from provdb.store import Store, open_store
from tests.lineage.histories import File, Step, at, file, remember
from tests.samples import NIGHT_LOG

_ROOT = Path(__file__).parents[1]


def _session(step: Step, arguments: list[str], **system: Any) -> dict[str, Any]:
    return {
        "session_id": step.session,
        "session_tag": step.session_tag,
        "startTime": at(step.start or 0).isoformat(),
        "system": {"arguments": arguments, **system},
    }


def _put(path: Path, content: bytes | None) -> None:
    path.parent.mkdir()
    if content is not None:
        path.write_bytes(content)


def _run(
    script: str, folder: Path, *, uri: str = "memory://"
) -> "subprocess.CompletedProcess[str]":
    """Run a script in a folder where a command ``provdb`` is found."""
    commands = folder / "bin"
    commands.mkdir(exist_ok=True)
    command = commands / "provdb"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m provdb_cli.main "$@"\n')
    command.chmod(0o700)
    sources = [str(_ROOT), str(_ROOT / "cli"), str(_ROOT / "schemas")]
    return subprocess.run(
        ["sh", "-s"],
        input=script,
        cwd=folder,
        env={
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(sources),
            "HOME": str(folder),
            "PROVDB_URI": uri,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_each_execution_of_the_sample_is_one_command() -> None:
    """A datasequence takes several steps of a subrun, and is called once for them."""
    from provdb.ingest import ingest

    with open_store("memory://") as store:
        ingest(store, [NIGHT_LOG])
        found = recipe(store, "dl2_LST-1.Run01807.h5")

    first, *others = found.commands
    assert first.words[0] == "calibration_pipeline"
    assert {command.words[-2] for command in others} == {
        f"01807.{subrun:04d}" for subrun in range(11)
    }
    assert [step.name for step in others[0].steps] == [
        "r0_to_dl1",
        "dl1ab",
        "dl1_to_dl2",
    ]
    assert found.is_whole


def test_the_script_makes_the_file_again(store: Store, tmp_path: Path) -> None:
    """Names with blanks, quotes and line ends are one word each."""
    raw, dl1, dl2 = (tmp_path / f"{name} $(no) 'it'\n.h5" for name in ("r0", "b", "a"))
    raw.write_bytes(b"events")
    entities = [file(str(path)) for path in (raw, dl1, dl2)]
    steps = [
        Step(name="r0_to_dl1", used=entities[:1], generated=entities[1:2], session="1"),
        Step(
            name="dl1_to_dl2",
            used=entities[1:2],
            generated=entities[2:],
            start=2,
            end=3,
            session="2",
        ),
    ]
    remember(store, *steps)
    store.write(
        fold(
            [
                _session(steps[0], ["cp", str(raw), str(dl1)]),
                _session(steps[1], ["cp", str(dl1), str(dl2)]),
            ]
        )
    )

    found = recipe(store, entities[2].id)
    done = _run(found.script(), tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert found.is_whole
    assert dl2.read_bytes() == b"events"


def test_a_python_script_is_run_by_the_python_that_ran_it(memory: Store) -> None:
    made = file("/DL1/dl1.h5")
    step = Step(name="r0_to_dl1", generated=[made])
    remember(memory, step)
    words = ["/osa/datasequence.py", "01618.0008"]
    memory.write(fold([_session(step, words, executable="/env/osa/bin/python")]))

    (command,) = recipe(memory, made.id).commands

    assert command.words == ("/env/osa/bin/python", *words)


def test_a_command_of_a_folder_is_run_in_it(memory: Store) -> None:
    made = file("/DL1/dl1.h5")
    step = Step(name="copy", generated=[made], id="621ca2")
    start = {
        "activity_id": "621ca2",
        "session_tag": step.session_tag,
        "name": "copy",
        "startTime": at(0).isoformat(),
        "in_session": step.session,
        "working_folder": "/data/a night",
    }
    memory.write(
        fold([*step.records()[1:], start, _session(step, ["cp", "a.h5", "dl1.h5"])])
    )

    script = recipe(memory, made.id).script()

    assert "(cd '/data/a night' && cp a.h5 dl1.h5)\n" in script


def test_a_script_ends_where_an_input_is_missing(tmp_path: Path) -> None:
    raw, made = file("/R0/gone.fits.fz"), file(str(tmp_path / "dl1.h5"))
    step = Step(name="r0_to_dl1", used=[raw], generated=[made])
    store = remember(open_store("memory://"), step)
    store.write(fold([_session(step, ["touch", str(tmp_path / "dl1.h5")])]))

    done = _run(recipe(store, made.id).script(), tmp_path)

    assert (done.returncode, done.stderr) == (1, "missing: /R0/gone.fits.fz\n")
    assert not (tmp_path / "dl1.h5").exists()


def _configured(store: Store, folder: Path, *contents: bytes) -> tuple[File, Path]:
    """Remember steps that used one path, each with another content."""
    config = folder / "cfg" / "lst.json"
    made = file(str(folder / "dl1.h5"))
    for number, content in enumerate(contents):
        step = Step(
            name="dl1ab",
            used=[file(str(config))],
            generated=[made] if number == 0 else [file(f"/x{number}")],
            id=f"62{number}",
        )
        remember(store, step)
        copy = {
            "file_id": sha256(content).hexdigest(),
            "filepath": str(config),
            "content": b64encode(content).decode(),
        }
        this = {"activity_id": f"62{number}", "session_tag": step.session_tag}
        words = ["cp", str(config), str(folder / "dl1.h5")]
        store.write(fold([{**copy, **this}, _session(step, words)]))
    return made, config


@pytest.mark.parametrize(
    ("there", "status"),
    [
        pytest.param(None, 0, id="gone"),
        pytest.param(b"{}", 0, id="the same"),
        pytest.param(b"{ }", 1, id="another content"),
    ],
)
def test_configuration_comes_out_of_the_store_and_overwrites_nothing(
    local_store_uri: str, tmp_path: Path, there: bytes | None, status: int
) -> None:
    with open_store(local_store_uri) as store:
        made, config = _configured(store, tmp_path, b"{}")
        script = recipe(store, made.id).script()
    _put(config, there)

    done = _run(script, tmp_path, uri=local_store_uri)

    assert done.returncode == status
    assert config.read_bytes() == (there or b"{}")
    assert (tmp_path / "dl1.h5").exists() == (status == 0)
    assert ("not what was used then" in done.stderr) == bool(status)


def test_several_contents_of_one_path_are_said(memory: Store, tmp_path: Path) -> None:
    made, config = _configured(memory, tmp_path, b"{}", b"{ }")
    remember(
        memory,
        Step(
            name="merge",
            used=[made, file("/x1")],
            generated=[file("/DL1/merged.h5")],
            start=5,
            end=6,
        ),
    )

    found = recipe(memory, "/DL1/merged.h5")

    assert (found.contested, found.is_whole) == ((str(config),), False)
    assert f"lacks 'several contents of {config} were used" in found.script()


def test_a_step_without_a_command_is_said(memory: Store, tmp_path: Path) -> None:
    made = file("/DL1/dl1.h5")
    remember(memory, Step(name="r0_to_dl1", generated=[made]))

    found = recipe(memory, made.id)

    done = _run(found.script(), tmp_path)
    assert [node.name for node in found.unknown] == ["r0_to_dl1"]
    assert found.reason == (
        "no command makes /DL1/dl1.h5: none was recorded of r0_to_dl1, which wrote it"
    )
    assert (done.returncode, done.stderr) == (1, f"{found.reason}\n")
    assert "lacks 'no command was recorded of r0_to_dl1'" in found.script()


def test_where_a_secret_was_masked_is_said_and_nothing_is_run(
    memory: Store, tmp_path: Path
) -> None:
    made = file("/DL1/dl1.h5")
    step = Step(name="fetch", generated=[made])
    remember(memory, step)
    memory.write(fold([_session(step, ["touch", "dl1.h5", "--token", "***"])]))

    found = recipe(memory, made.id)

    done = _run(found.script(), tmp_path)
    assert (found.commands[0].masked, found.is_whole) == ((3,), False)
    assert done.returncode == 1
    assert "masked in argument 3 of touch" in done.stderr
    assert not (tmp_path / "dl1.h5").exists()


def _copied(
    store: Store, folder: Path, *, used: str | None, made: str | None
) -> tuple[File, Path, Path]:
    """Remember that a file was copied, with digests; names need quotes."""
    raw, copy = (folder / f"{name} $(no) 'it'\n-.h5" for name in ("r0", "dl1"))
    raw.write_bytes(b"events")
    generated = file(str(copy))
    step = Step(
        name="r0_to_dl1",
        used=[file(str(raw)).link(content=used)],
        generated=[generated.link(content=made)],
    )
    remember(store, step)
    store.write(fold([_session(step, ["cp", str(raw), str(copy)])]))
    return generated, raw, copy


@pytest.mark.parametrize("method", ["sha256", "sha1", "md5", "sha512"])
def test_the_script_compares_inputs_and_result_with_recorded_contents(
    memory: Store, tmp_path: Path, method: str
) -> None:
    digest = new(method, b"events").hexdigest().upper()
    made, _, copy = _copied(memory, tmp_path, used=digest, made=digest)

    done = _run(recipe(memory, made.id).script(), tmp_path)

    assert (done.returncode, done.stderr) == (0, f"what was made then: {copy}\n")


def test_the_script_runs_nothing_where_an_input_has_another_content(
    store: Store, tmp_path: Path
) -> None:
    digest = sha256(b"other events").hexdigest()
    made, raw, copy = _copied(store, tmp_path, used=digest, made=digest)

    done = _run(recipe(store, made.id).script(), tmp_path)

    assert done.returncode == 1
    assert done.stderr == (
        f"not what was used then: {raw} (recorded {digest}, found "
        f"{sha256(b'events').hexdigest()}); delete its line to go on with it\n"
    )
    assert not copy.exists()


def test_the_script_ends_with_1_where_the_result_has_another_content(
    memory: Store, tmp_path: Path
) -> None:
    digest = sha256(b"other events").hexdigest()
    made, _, copy = _copied(memory, tmp_path, used=None, made=digest)

    done = _run(recipe(memory, made.id).script(), tmp_path)

    assert (done.returncode, copy.read_bytes()) == (1, b"events")
    assert done.stderr.startswith(f"not what was made then: {copy} (recorded {digest}")


def test_the_script_says_that_the_result_cannot_be_compared(
    memory: Store, tmp_path: Path
) -> None:
    made, _, _ = _copied(memory, tmp_path, used=None, made=None)

    found = recipe(memory, made.id)

    assert (found.contents, found.result) == ({}, None)
    assert "# Its content was not recorded" in found.script()
    assert _run(found.script(), tmp_path).returncode == 0


def test_several_recorded_contents_of_one_input_are_said(
    memory: Store, tmp_path: Path
) -> None:
    catalogue = file(str(tmp_path / "catalogue.fits"))
    steps = [
        Step(
            name=f"part{number}",
            used=[catalogue.link(content=sha256(content).hexdigest())],
            generated=[file(f"/x{number}")],
            start=number,
            end=number + 1,
        )
        for number, content in enumerate([b"old", b"new"])
    ]
    merge = Step(
        name="merge",
        used=[file("/x0"), file("/x1")],
        generated=[file("/merged.h5")],
        start=5,
        end=6,
    )
    remember(memory, *steps, merge)

    found = recipe(memory, "/merged.h5")

    assert found.contested == (str(tmp_path / "catalogue.fits"),)
    assert found.contents == {}


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["-c"], id="python -c"),
        pytest.param([""], id="a prompt"),
        pytest.param(["/env/ipykernel_launcher.py", "-f", "k.json"], id="a notebook"),
    ],
)
def test_what_was_typed_into_python_is_no_command(
    memory: Store, words: list[str]
) -> None:
    made = file("/DL1/dl1.h5")
    step = Step(name="r0_to_dl1", generated=[made])
    remember(memory, step)
    memory.write(fold([_session(step, words, executable="/env/bin/python")]))

    found = recipe(memory, made.id)

    assert (found.commands, found.is_whole) == ((), False)
    assert "none was recorded of r0_to_dl1" in str(found.reason)


def test_a_file_that_no_step_wrote_is_made_by_no_command(memory: Store) -> None:
    raw = file("/R0/LST-1.1.Run01618.0008.fits.fz")
    remember(memory, raw)

    found = recipe(memory, raw.id)

    assert found.reason == (
        "no command makes /R0/LST-1.1.Run01618.0008.fits.fz: "
        "no step is known to have written it"
    )
    assert f"lacks '{found.reason}'" in found.script()


def test_a_derived_file_is_made_by_no_command_and_its_source_is_said(
    memory: Store,
) -> None:
    made, moved = file("/DL1/dl1.h5"), file("/archive/dl1.h5")
    step = Step(name="r0_to_dl1", generated=[made])
    remember(memory, step, moved.derived(made))
    memory.write(fold([_session(step, ["touch", "/DL1/dl1.h5"])]))

    found = recipe(memory, moved.id)

    assert [command.words for command in found.commands] == [("touch", "/DL1/dl1.h5")]
    assert str(found.reason).endswith("have written it; it comes from /DL1/dl1.h5")
