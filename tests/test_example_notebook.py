"""The notebook runs on both stores, and shows what the repository shows of it."""

import os
from pathlib import Path
from typing import Any, Final

import nbformat
import pytest
from nbclient import NotebookClient

_ROOT: Final = Path(__file__).parents[1]
_NOTEBOOK: Final = _ROOT / "examples" / "notebook.ipynb"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of its own, where the libraries of notebooks keep what they make once."""
    return tmp_path_factory.mktemp("home")


def test_every_cell_runs_and_shows_what_is_committed(
    store_uri: str, home: Path
) -> None:
    """If it is to show something else: jupyter execute --inplace NOTEBOOK."""
    committed = nbformat.read(_NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]  # It has no types.

    executed = _execute(store_uri, home=home)

    assert _texts(executed) == _texts(committed)
    assert _pictures(executed) == _pictures(committed) == 1


def _execute(uri: str, *, home: Path) -> Any:
    """Run the notebook in a process of its own; an error in a cell is raised."""
    notebook = nbformat.read(_NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]  # It has no types.
    sources = [str(_ROOT / source) for source in (".", "cli", "schemas")]
    folder = {"metadata": {"path": str(_NOTEBOOK.parent)}}
    client = NotebookClient(notebook, timeout=120, resources=folder)
    return client.execute(
        env={
            **os.environ,
            "HOME": str(home),
            "IPYTHONDIR": str(home),
            "MPLCONFIGDIR": str(home),
            "PROVDB_URI": uri,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join(sources),
        }
    )


def _texts(notebook: Any) -> list[list[str]]:
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [[_text(output) for output in cell.outputs] for cell in cells]


def _text(output: Any) -> str:
    if output.output_type == "stream":
        return str(output.text)
    shown = output.data
    # How pandas writes a table is its own, and may change.
    is_own = "text/html" in shown and 'class="dataframe"' not in shown["text/html"]
    is_picture = "image/png" in shown
    return "" if is_picture else str(shown["text/html" if is_own else "text/plain"])


def _pictures(notebook: Any) -> int:
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    shown = [output for cell in cells for output in cell.outputs]
    return sum("image/png" in output.get("data", {}) for output in shown)
