"""Run a tool of ctapipe that records into provdb: ``python -m provdb.compat TOOL …``.

TOOL is a command that an installed package brings, such as ``ctapipe-process``.
"""

import sys
from importlib.metadata import entry_points

from provdb.compat.ctapipe import install

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Run the tool, and return its exit status.

    Args:
        arguments: Name of the tool, and its own arguments.
    """
    found = entry_points(group="console_scripts", name=next(iter(arguments), ""))
    if not found:
        print(  # noqa: T201  the usage, as of any command
            "usage: python -m provdb.compat TOOL [ARGUMENT]..., "
            "where TOOL is an installed command such as ctapipe-process",
            file=sys.stderr,
        )
        return 2
    install()
    sys.argv = list(arguments)
    status = next(iter(found)).load()()
    return status if isinstance(status, int) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
