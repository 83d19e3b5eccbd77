"""Imports go down only: the ranks of the rooms, read from the sources.

A room of a rank imports rooms of a lower rank; rooms of one rank do not know
each other; inside a room anything goes. What is imported for the type checker
or inside a function counts too.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE_ROOTS = (ROOT, ROOT / "cli", ROOT / "schemas")

RANKS = {
    "provdb_schemas": 0,
    "provdb.errors": 0,
    "provdb.model": 1,
    "provdb.config": 1,
    "provdb.store": 2,
    "provdb.secrets": 2,
    "provdb.tabular": 2,
    "provdb.readers": 3,
    "provdb.lineage": 3,
    "provdb.capture": 4,
    "provdb.compare": 4,
    "provdb.query": 4,
    "provdb.export": 4,
    "provdb.files": 4,
    "provdb.ingest": 4,
    "provdb.recorded_contents": 4,
    "provdb.sessions": 4,
    "provdb.check": 5,
    "provdb.compat": 5,
    "provdb.database": 5,
    "provdb.demo": 5,
    "provdb.embed": 5,
    "provdb.products": 5,
    "provdb.reproduce": 5,
    "provdb.verify": 5,
    "provdb": 6,
    "provdb.web": 6,
    "provdb_cli": 7,
}

# Library: the modules (and what is inside them) that may import it.
KEEPERS = {
    "pymongo": ("provdb.store.mongo",),
    "bson": ("provdb.store.mongo",),
    "gridfs": ("provdb.store.mongo",),
    "click": ("provdb_cli",),
    "rich": ("provdb_cli",),
    "prov": ("provdb.export", "provdb.readers.prov"),
}

MODULES = [
    pytest.param(source_root, path, id=str(path.relative_to(ROOT)))
    for source_root in SOURCE_ROOTS
    for package in sorted(source_root.glob("provdb*"))
    for path in sorted(package.rglob("*.py"))
]


@pytest.mark.parametrize(("source_root", "path"), MODULES)
def test_module_imports_downwards_only(source_root: Path, path: Path) -> None:
    assert list(violations(path, source_root=source_root)) == []


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        pytest.param(
            "provdb/model/fold.py",
            "from provdb.store import Store",
            "provdb.model (1) imports provdb.store (2)",
            id="upwards",
        ),
        pytest.param(
            "provdb/errors.py",
            "import provdb.config",
            "provdb.errors (0) imports provdb.config (1)",
            id="plain import",
        ),
        pytest.param(
            "provdb/query/run.py",
            "def run() -> None:\n    from provdb import export",
            "provdb.query (4) imports provdb.export (4)",
            id="same rank, inside a function",
        ),
        pytest.param(
            "provdb/config.py",
            "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from provdb.model.ids import Id",
            "provdb.config (1) imports provdb.model (1)",
            id="for the type checker",
        ),
        pytest.param(
            "provdb/store/__init__.py",
            "from ..readers import read",
            "provdb.store (2) imports provdb.readers (3)",
            id="relative",
        ),
        pytest.param(
            "provdb/web/app.py",
            "from provdb import connect",
            "provdb.web (6) imports provdb (6)",
            id="the public face",
        ),
        pytest.param(
            "provdb/lineage/walk.py",
            "from provdb_cli.output import show",
            "provdb.lineage (3) imports provdb_cli (7)",
            id="the command line",
        ),
        pytest.param(
            "provdb/attic.py", "", "provdb.attic has no rank", id="unknown room"
        ),
        pytest.param(
            "provdb/store/local.py",
            "from bson.objectid import ObjectId",
            "provdb.store.local imports bson",
            id="driver",
        ),
        pytest.param(
            "provdb/query/run.py",
            "import rich.table",
            "provdb.query.run imports rich",
            id="terminal",
        ),
        pytest.param(
            "provdb/model/ids.py",
            "from prov import model",
            "provdb.model.ids imports prov",
            id="prov",
        ),
    ],
)
def test_planted_import_is_found(
    tmp_path: Path, name: str, text: str, complaint: str
) -> None:
    path = plant(tmp_path, name=name, text=text)

    assert list(violations(path, source_root=tmp_path)) == [complaint]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("provdb/store/mongo.py", "import pymongo, bson", id="driver"),
        pytest.param("provdb/store/open.py", "from provdb.store import x", id="room"),
        pytest.param("provdb/web/app.py", "from provdb import store", id="room of all"),
        pytest.param("provdb/__init__.py", "from .query import ask", id="public face"),
        pytest.param(
            "provdb_cli/main.py", "import click, provdb, provdb.web", id="cli"
        ),
        pytest.param("provdb/export/dot.py", "import prov.model", id="prov"),
        pytest.param("provdb/model/fold.py", "import providers", id="similar name"),
    ],
)
def test_planted_import_downwards_is_let_through(
    tmp_path: Path, name: str, text: str
) -> None:
    path = plant(tmp_path, name=name, text=text)

    assert list(violations(path, source_root=tmp_path)) == []


def plant(folder: Path, *, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def violations(path: Path, *, source_root: Path) -> Iterator[str]:
    """Say each import of a file that the house does not allow."""
    parts = path.relative_to(source_root).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    package = parts[:-1]
    module = ".".join(package if is_package else parts)
    room = room_of(module)
    if room not in RANKS:
        yield f"{room} has no rank"
        return
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    for imported in imports(tree, package=package):
        library = imported.partition(".")[0]
        if library in KEEPERS and not is_inside(module, KEEPERS[library]):
            yield f"{module} imports {library}"
        if library.startswith("provdb"):
            target = room_of(imported)
            rank = RANKS.get(target, len(RANKS))
            if target != room and rank >= RANKS[room]:
                yield f"{room} ({RANKS[room]}) imports {target} ({rank})"


def imports(tree: ast.Module, *, package: tuple[str, ...]) -> Iterator[str]:
    """Give the full name of each module that is imported anywhere in a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, node.module] if node.module else above)
            # "from provdb import store" imports a room, not the public face.
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield full if base == "provdb" and full in RANKS else base


def room_of(module: str) -> str:
    """Give the room: the package of the source root, or what is below provdb."""
    parts = module.split(".")
    return ".".join(parts[:2] if parts[0] == "provdb" else parts[:1])


def is_inside(module: str, keepers: tuple[str, ...]) -> bool:
    return any(f"{module}.".startswith(f"{keeper}.") for keeper in keepers)
