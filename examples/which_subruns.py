"""Say which R0 subruns each DL2 file of a log came from.

python examples/which_subruns.py prov.log
"""

import sys

import provdb


def main(log: str) -> None:
    """Read a log into a store that ends with this process, and ask it."""
    with provdb.connect("memory://") as db:
        db.ingest(log)
        for entity in db.store.scan("entities"):
            if entity["level"] == "DL2" and "file_name" in entity:
                leaves = db.lineage(entity["location"]).files_of_level("R0")
                subruns = ", ".join(f"{leaf.run}.{leaf.subrun:04d}" for leaf in leaves)
                print(f"{entity['file_name']}: {subruns}")


if __name__ == "__main__":
    main(sys.argv[1])
