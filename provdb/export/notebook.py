"""A lineage that a notebook shows as a graph, with the table of its nodes below."""

from dataclasses import fields
from functools import cached_property
from typing import Self

from provdb.errors import ExportError
from provdb.export.dot import dot
from provdb.export.drawing import draw
from provdb.export.picture import picture, readable
from provdb.lineage import Lineage

__all__ = ["ShownLineage"]

# What a picture has before it and a page cannot have in its middle.
_BEGINNING = "<svg"
_SCROLLED = '<div style="overflow-x: auto; background: white">'


class ShownLineage(Lineage):
    """A lineage as a notebook shows it; in all else the lineage that it was made of.

    Where nothing can draw, the table is all that is shown.
    """

    @classmethod
    def of(cls, lineage: Lineage) -> Self:
        """Return a lineage as one that can be shown."""
        return cls(
            **{part.name: getattr(lineage, part.name) for part in fields(lineage)}
        )

    def _repr_svg_(self) -> str | None:
        """Return the graph that a notebook shows, collapsed so that it can be read."""
        return self._svg

    def _repr_html_(self) -> str:
        """Return the graph and the table: of both, a notebook shows only this one."""
        table = Lineage._repr_html_(self)
        if self._svg is None:
            return table
        return f"{_SCROLLED}{self._svg}</div>{table}"

    # A notebook asks for both; it is drawn once.
    @cached_property
    def _svg(self) -> str | None:
        try:
            drawn = draw(dot(picture(readable(self))), "svg").decode()
        except ExportError:
            return None
        return drawn[drawn.index(_BEGINNING) :]
