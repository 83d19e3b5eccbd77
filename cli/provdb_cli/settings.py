"""What every command knows: the settings, and the store that they name."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from provdb.config import Config, load_config
from provdb.errors import ConfigError, StoreUnavailable
from provdb_cli.errors import warn

if TYPE_CHECKING:
    from provdb.lineage import View
    from provdb.store import Store

__all__ = ["Settings"]

_OUTDATED: Final = (
    "warning: an earlier version of provdb wrote some of the store; "
    "'provdb db migrate' brings it up to date"
)
_OUTDATED_NAMES: Final = (
    "warning: some entities do not follow the naming rules of the store yet; "
    "'provdb db migrate' updates them"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the command ``provdb`` itself, and what follows from them.

    Attributes:
        environ: Variables of the environment.
        uri: The store, where ``--uri`` names one.
        config_file: The config file, where ``--config`` names one.
    """

    environ: Mapping[str, str]
    uri: str | None
    config_file: Path | None

    def load(self) -> Config:
        """Return the settings, each from where it is first found."""
        return load_config(
            environ=self.environ, uri=self.uri, config_file=self.config_file
        )

    @contextmanager
    def open_store(
        self,
        uri: str | None = None,
        *,
        timeout_seconds: float | None = None,
        is_checked: bool = True,
    ) -> "Iterator[Store]":
        """Open the store of the settings, or another one, for a block.

        A store that is not up to date answers too; that is said after the answer.

        Args:
            uri: Another store, or None.
            timeout_seconds: How long a server may take for one answer, or None.
            is_checked: Whether to warn of documents of an earlier version, or with
                names by earlier naming rules.
        """
        # Loaded here, so that --help is quick.
        from provdb.store import open_store

        config = self.load()
        opened = open_store(
            uri or config.uri,
            zone=ZoneInfo(config.timezone),
            timeout_seconds=timeout_seconds,
        )
        with opened as store:
            yield store
            if is_checked and uri is None:
                # The answer is there, and has not to wait for a server that is gone.
                with suppress(StoreUnavailable):
                    if store.is_outdated():
                        warn(_OUTDATED)
                    elif store.has_outdated_names():
                        warn(_OUTDATED_NAMES)

    def zone(self) -> ZoneInfo:
        """Return the zone in which times that name none are read."""
        return ZoneInfo(self.load().timezone)

    @contextmanager
    def capture(self, *, on_problem: Callable[[str], None]) -> Iterator[None]:
        """Have what is recorded in the block go to the store of the settings.

        Args:
            on_problem: Is told what is wrong with them; the default is used then.
        """
        from provdb.capture.handler import ProvHandler

        try:
            config = self.load()
        except ConfigError as error:
            on_problem(str(error))
            handler = ProvHandler()
        else:
            handler = ProvHandler(config.uri, config.spool_dir)
        logger = logging.getLogger("provdb")
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            # Not left to the end of Python, where no more threads can be started.
            handler.close()

    def variables(self) -> dict[str, str]:
        """Return the variables that give another process the options given here."""
        given = {
            "PROVDB_URI": self.uri,
            "PROVDB_CONFIG": self.config_file and str(self.config_file.absolute()),
        }
        return {name: value for name, value in given.items() if value}

    def spool_folders(self) -> tuple[Path, ...]:
        """Return the spool folder of the settings, if there is one yet."""
        folder = Path(self.load().spool_dir)
        return (folder,) if folder.is_dir() else ()

    def views(self) -> "tuple[View, ...]":
        """Return the known views and those of the config file."""
        from provdb.lineage import views

        return views(self.load().views)
