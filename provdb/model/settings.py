"""Settings (to be replaced by the merge)."""

from dataclasses import dataclass

__all__ = ["StoreSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """The settings."""

    clock_tolerance_seconds: float = 5.0
    node_local: tuple[str, ...] = ("/tmp/*", "/var/tmp/*", "/dev/shm/*", "/scratch/*")
