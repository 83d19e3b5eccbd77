"""What must be known of a definition to write it, whoever read it.

`provdb.capture.descriptions` has classes like these; capture and export do not know
each other.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

__all__ = [
    "Declared",
    "DeclaredActivity",
    "DeclaredAgent",
    "DeclaredEntity",
    "DeclaredLink",
    "DeclaredParameter",
]


class DeclaredParameter(Protocol):
    """A parameter of a step."""

    @property
    def name(self) -> str:
        """Its name in the records."""

    @property
    def description(self) -> str | None:
        """What it is, for people."""


class DeclaredEntity(Protocol):
    """A kind of entity."""

    @property
    def name(self) -> str:
        """Such as ``R0SubrunDataset``."""

    @property
    def description(self) -> str | None:
        """What it is, for people."""

    @property
    def docurl(self) -> str | None:
        """Where more is said of it."""

    @property
    def content_type(self) -> str | None:
        """Such as ``application/fits``."""

    @property
    def type(self) -> str | None:
        """Such as ``File``."""


class DeclaredLink(Protocol):
    """A usage or a generation."""

    @property
    def role(self) -> str | None:
        """What the entity is to the activity."""

    @property
    def description(self) -> str | None:
        """What it is, for people."""

    @property
    def entity(self) -> DeclaredEntity | None:
        """The kind of entity."""


class DeclaredActivity(Protocol):
    """A step: what it uses and generates."""

    @property
    def name(self) -> str:
        """Such as ``r0_to_dl1``."""

    @property
    def description(self) -> str | None:
        """What it does, for people."""

    @property
    def contact(self) -> str | None:
        """Whom to ask."""

    @property
    def parameters(self) -> Sequence[DeclaredParameter]:
        """Its parameters."""

    @property
    def usage(self) -> Sequence[DeclaredLink]:
        """What it uses."""

    @property
    def generation(self) -> Sequence[DeclaredLink]:
        """What it generates."""


class DeclaredAgent(Protocol):
    """Somebody who is responsible."""

    @property
    def properties(self) -> Mapping[str, str]:
        """What is said of the agent, such as ``email``."""


class Declared(Protocol):
    """What a definition declares, by names."""

    @property
    def activities(self) -> Mapping[str, DeclaredActivity]:
        """The steps."""

    @property
    def entities(self) -> Mapping[str, DeclaredEntity]:
        """The kinds of entities."""

    @property
    def agents(self) -> Mapping[str, DeclaredAgent]:
        """The agents."""
