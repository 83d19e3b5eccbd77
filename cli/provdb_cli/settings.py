"""What every command knows: the settings, and the store that they name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from provdb.config import Config, load_config

if TYPE_CHECKING:
    from provdb.lineage import LinkRule
    from provdb.store import Store

__all__ = ["Settings"]


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

    def open_store(self, uri: str | None = None) -> "Store":
        """Open the store of the settings, or another one."""
        # Loaded here, so that --help is quick.
        from provdb.store import open_store

        config = self.load()
        return open_store(uri or config.uri, zone=ZoneInfo(config.timezone))

    def spool_folders(self) -> tuple[Path, ...]:
        """Return the spool folder of the settings, if there is one yet."""
        folder = Path(self.load().spool_dir)
        return (folder,) if folder.is_dir() else ()

    def link_rules(self) -> "tuple[LinkRule, ...]":
        """Return the known link rules and those of the config file."""
        from provdb.lineage import link_rules

        return link_rules(self.load().link_rules)
