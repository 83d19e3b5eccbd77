"""Where the process ``provdb`` begins, and where Ctrl-C may come too early."""

import sys
from typing import Final

__all__ = ["main"]

_INTERRUPTED: Final = 130


def main() -> None:
    """Run the command line; until it is loaded an interruption ends it silently."""
    try:
        from provdb_cli.main import cli
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    cli()


if __name__ == "__main__":
    main()
