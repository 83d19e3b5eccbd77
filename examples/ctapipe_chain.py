"""Three tools in the manner of ctapipe, one process each, and the lineage of all.

PROVDB_URI=sqlite:////tmp/provdb.db python examples/ctapipe_chain.py FOLDER

Each tool records with the calls of ctapipe's Provenance, as ctapipe's own tools do, and
writes its log file as they do. What ctapipe cannot tell from these logs, the store can:
the DL2 file comes from these R0 files, this configuration and this model.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import provdb
from provdb.compat.ctapipe import Provenance

SUBRUNS = range(3)
CONFIG = {"ProcessorTool": {"ImageProcessor": {"cleaner": "TailcutsImageCleaner"}}}


def process(r0: str, config: str, dl1: str) -> None:
    """Turn an R0 file into a DL1 file, as ctapipe-process does."""
    provenance = Provenance()
    with provenance.activity("ctapipe-process"):
        provenance.add_input_file(config, role="Tool Configuration", add_meta=False)
        provenance.add_config(json.loads(Path(config).read_text(encoding="utf-8")))
        provenance.add_input_file(r0, role="R0/Event")
        Path(dl1).write_bytes(Path(r0).read_bytes())
        provenance.add_output_file(dl1, role="DL1/Event")


def merge(*paths: str) -> None:
    """Merge DL1 files into the last one, as ctapipe-merge does."""
    *inputs, merged = paths
    provenance = Provenance()
    with provenance.activity("ctapipe-merge"):
        with Path(merged).open("wb") as output:
            for dl1 in inputs:
                provenance.add_input_file(dl1, role="data product to merge")
                output.write(Path(dl1).read_bytes())
        provenance.add_output_file(merged, role="DL1/Event")


def apply_models(dl1: str, model: str, dl2: str) -> None:
    """Turn a DL1 file into a DL2 file, as ctapipe-apply-models does."""
    provenance = Provenance()
    with provenance.activity("ctapipe-apply-models"):
        provenance.add_input_file(model, role="ml-models", add_meta=False)
        provenance.add_input_file(dl1, role="Event data")
        Path(dl2).write_bytes(Path(dl1).read_bytes())
        provenance.add_output_file(dl2, role="DL2/Event")


TOOLS: dict[str, Callable[..., None]] = {
    "process": process,
    "merge": merge,
    "apply-models": apply_models,
}


def main(folder: Path) -> None:
    """Run the tools on a simulated run, each in a process, and ask for the lineage."""
    folder.mkdir(parents=True, exist_ok=True)
    r0_files = [folder / f"LST-1.1.Run01807.{n:04d}.fits.fz" for n in SUBRUNS]
    dl1_files = [folder / f"dl1_LST-1.Run01807.{n:04d}.h5" for n in SUBRUNS]
    merged = folder / "dl1_LST-1.Run01807.h5"
    config, model = folder / "process.json", folder / "energy_regressor.pkl"
    config.write_text(json.dumps(CONFIG), encoding="utf-8")
    model.write_bytes(b"a model")
    for r0, dl1 in zip(r0_files, dl1_files, strict=True):
        r0.write_bytes(b"events\n")
        run_tool("process", r0, config, dl1)
    run_tool("merge", *dl1_files, merged)
    run_tool("apply-models", merged, model, folder / "dl2_LST-1.Run01807.h5")

    with provdb.connect(os.environ["PROVDB_URI"]) as db:
        answer = db.lineage(str(folder.absolute() / "dl2_LST-1.Run01807.h5"))
    for r0_file in answer.files_of_level("R0"):
        print(r0_file.location)


def run_tool(name: str, *paths: Path) -> None:
    """Run one tool in a process of its own."""
    subprocess.run([sys.executable, __file__, name, *map(str, paths)], check=True)


if __name__ == "__main__":
    tool, *paths = sys.argv[1:]
    if tool in TOOLS:
        TOOLS[tool](*paths)
        log = Path(paths[-1]).with_suffix(".provenance.log")
        log.write_text(Provenance().as_json(indent=3), encoding="utf-8")
    else:
        main(Path(tool))
