"""The names of ``provdb``: what is promised is there, and nothing else."""

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

import provdb

_ROOT: Final = Path(__file__).parents[1]
_SOURCES: Final = [str(_ROOT), str(_ROOT / "cli"), str(_ROOT / "schemas")]


def _type_checking_imports() -> dict[str, str]:
    """Return the room of each name that is imported for type checkers alone."""
    tree = ast.parse(Path(str(provdb.__file__)).read_text(encoding="utf-8"))
    guarded = [
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    return {
        alias.asname or alias.name: str(node.module)
        for guard in guarded
        for node in guard.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _run(script: str) -> str:
    """Run a script in a process that has loaded nothing, and return what it says."""
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {_SOURCES!r}\n{script}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


def test_every_promised_name_has_a_room() -> None:
    assert sorted(provdb.__all__) == sorted(provdb._ROOMS)
    assert list(provdb.__all__) == sorted(provdb.__all__)


def test_type_checkers_see_the_same_names_from_the_same_rooms() -> None:
    assert _type_checking_imports() == provdb._ROOMS


@pytest.mark.parametrize("name", provdb.__all__)
def test_a_promised_name_can_be_got(name: str) -> None:
    found = getattr(provdb, name)

    assert not isinstance(found, ModuleType)
    assert found.__module__.startswith(provdb._ROOMS[name])


@pytest.mark.parametrize("name", provdb.__all__)
def test_a_promised_name_hides_no_module(name: str) -> None:
    folder = Path(str(provdb.__file__)).parent

    assert not (folder / f"{name}.py").exists()
    assert not (folder / name).exists()


@pytest.mark.parametrize("name", provdb.__all__)
def test_a_promised_name_is_documented(name: str) -> None:
    assert getattr(provdb, name).__doc__


@pytest.mark.parametrize("name", ["Databse", "_rooms", "__wrapped__"])
def test_an_unknown_name_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError, match=f"'provdb' has no attribute '{name}'"):
        getattr(provdb, name)


def test_every_promised_name_is_got_by_a_star() -> None:
    said = _run(
        "from provdb import *\n"
        "import provdb\n"
        "print(sorted(set(provdb.__all__) - set(globals())))"
    )

    assert said == "[]\n"


def test_a_name_is_got_whatever_was_loaded_before() -> None:
    said = _run(
        "import provdb.lineage, provdb.ingest, provdb.store, provdb\n"
        "from types import ModuleType\n"
        "got = [getattr(provdb, name) for name in provdb.__all__]\n"
        "print([thing for thing in got if isinstance(thing, ModuleType)])"
    )

    assert said == "[]\n"


def test_loading_the_package_loads_nothing_of_it() -> None:
    said = _run(
        "import provdb\n"
        "print(sorted(name for name in sys.modules if name.startswith('provdb.')))"
    )

    assert said == "[]\n"
