"""An installed ctapipe whose Provenance records into provdb, its tools as they are.

The package ``ctapipe`` of these tests is a small one, with what the real one has: a
class that gives one instance, modules that keep that instance, a tool that asks for it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

import provdb

_ROOT: Final = Path(__file__).parents[2]
_SOURCES: Final = [str(_ROOT), str(_ROOT / "cli"), str(_ROOT / "schemas")]
_PACKAGE: Final = {
    "ctapipe/__init__.py": "__version__ = '0.28.0'\n",
    "ctapipe/core/__init__.py": "from .provenance import Provenance\n",
    "ctapipe/core/provenance.py": """
class Singleton(type):
    instance = None

    def __call__(cls):
        if not cls.instance:
            cls.instance = super().__call__()
        return cls.instance


class Activity:
    def __init__(self, name):
        self.name = name
        self.provenance = {"activity_name": name, "output": []}

    def register_output(self, url, role=None, add_meta=True, reference_meta=None):
        self.provenance["output"].append(url)

    def finish(self, status="completed", exit_code=0):
        self.provenance["status"] = status


class Provenance(metaclass=Singleton):
    def __init__(self):
        self._activities = []
        self._finished_activities = []

    def start_activity(self, name):
        self._activities.append(Activity(name))
""",
    "ctapipe/io/__init__.py": "",
    "ctapipe/io/metadata.py": """
class Reference:
    def to_dict(self):
        return {"CTA PRODUCT DATA LEVELS": "DL1_IMAGES", "CTA ACTIVITY ID": "0bca4c15"}


def read_reference_metadata(path):
    if not str(path).endswith(".h5"):
        raise ValueError(path)
    return Reference()
""",
    "ctapipe/io/datawriter.py": """
from ..core import Provenance
PROV = Provenance()
""",
    "ctapipe/tools.py": """
import sys
from .core import Provenance
from .io.datawriter import PROV


def main():
    Provenance().start_activity("ctapipe-process")
    Provenance().add_input_file(sys.argv[1], role="DL0/Event")
    PROV.add_output_file(sys.argv[2], role="DL1/Event")
    Provenance().finish_activity("completed", activity_name="ctapipe-process")
    print(Provenance().as_json())
    sys.exit(0)
""",
    "ctapipe-0.28.0.dist-info/METADATA": (
        "Metadata-Version: 2.1\nName: ctapipe\nVersion: 0.28.0\n"
    ),
    "ctapipe-0.28.0.dist-info/entry_points.txt": (
        "[console_scripts]\nctapipe-process = ctapipe.tools:main\n"
    ),
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed packages, ctapipe one of them."""
    folder = tmp_path / "site"
    for name, text in _PACKAGE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """The store of the processes."""
    return f"sqlite:///{tmp_path}/provdb.db"


def _python(*arguments: str | Path, folder: Path, uri: str) -> Any:
    """Run Python in a folder, and return the JSON that it prints."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": os.pathsep.join([*_SOURCES, str(folder / "site")]),
            "PROVDB_URI": uri,
            "PROVDB_SPOOL_DIR": str(folder / "spool"),
        },
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_tool_as_it_is_records_into_provdb(
    tmp_path: Path, site: Path, uri: str
) -> None:
    (written,) = _python(
        "-m", "provdb.compat", "ctapipe-process", "run.fits", "dl1.h5",
        folder=tmp_path, uri=uri,
    )  # fmt: skip

    with provdb.connect(uri) as db:
        answer = db.lineage(str(tmp_path / "dl1.h5"))
        (activity,) = db.store.scan("activities")
    assert written["output"][0]["url"] == str(tmp_path / "dl1.h5")
    assert written["system"]["ctapipe_version"] == "0.28.0"
    assert str(tmp_path / "run.fits") in [node.location for node in answer.nodes]
    assert (activity["name"], activity["status"]) == ("ctapipe-process", "completed")


def test_ctapipe_reads_the_reference_metadata_of_files(
    tmp_path: Path, site: Path, uri: str
) -> None:
    (written,) = _python(
        "-m", "provdb.compat", "ctapipe-process", "run.fits", "dl1.h5",
        folder=tmp_path, uri=uri,
    )  # fmt: skip

    assert written["input"][0]["reference_meta"] is None
    assert written["output"][0]["reference_meta"]["CTA ACTIVITY ID"] == "0bca4c15"


def test_what_was_started_before_is_finished(
    tmp_path: Path, site: Path, uri: str
) -> None:
    names = _python(
        "-c",
        "import json\n"
        "from ctapipe.core import Provenance\n"
        "from ctapipe.io.datawriter import PROV\n"
        "from provdb.compat.ctapipe import install\n"
        "Provenance().start_activity('before')\n"
        "assert install() and install()\n"
        "with PROV.activity('after'): pass\n"
        "PROV.add_output_file('dl1.h5')\n"
        "Provenance().finish_activity(activity_name='before')\n"
        "print(json.dumps(PROV.finished_activity_names))\n",
        folder=tmp_path,
        uri=uri,
    )

    assert names == ["after", "before"]


def test_without_ctapipe_there_is_nothing_to_install(tmp_path: Path, uri: str) -> None:
    is_there = _python(
        "-c",
        "import sys; sys.modules['ctapipe'] = None\n"
        "from provdb.compat.ctapipe import install\n"
        "print(str(install()).lower())\n",
        folder=tmp_path,
        uri=uri,
    )

    assert is_there is False


def test_a_tool_that_is_not_installed_is_wrong_usage(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "provdb.compat", "ctapipe-proces"],
        capture_output=True,
        text=True,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": os.pathsep.join(_SOURCES),
        },
        timeout=60,
    )

    assert done.returncode == 2
    assert done.stderr.startswith("usage: python -m provdb.compat TOOL")
