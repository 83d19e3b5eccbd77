"""What names of files say: placeholders that nobody filled, and other telescopes."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from provdb.check.report import Fault, Findings
from provdb.model import Document, file_name
from provdb.model import fields as f

__all__ = ["check_placeholders", "check_telescopes"]

_PLACEHOLDER: Final = re.compile(
    r"""
    \$\{[^{}/]*\}                # ${RUN}
    | \{\{[^{}/]*\}\}            # {{ run }}
    | \{[\w.:!\[\] -]*\}         # {run:05d}
    | %\(\w+\)[\d.#+-]*[a-z]     # %(run)05d
    | \$[A-Z_][A-Z0-9_]+         # $RUN
    | <[A-Za-z_][\w -]*>         # <run>
    """,
    re.VERBOSE,
)


def check_placeholders(entity: Document, *, findings: Findings) -> None:
    """Find what in the path of an entity was to be replaced by a value."""
    location = entity.get(f.LOCATION)
    if not isinstance(location, str):
        return
    matches = sorted({match[0] for match in _PLACEHOLDER.finditer(location)})
    if matches:
        detail = f"{', '.join(matches)} in {file_name(location)}"
        findings.add(
            Fault("placeholder", None, detail, entity[f.ID]),
            entity,
            file=entity,
            sentence=(
                f"The path {location} has the placeholder {', '.join(matches)}: "
                "nothing put a value there."
            ),
        )


def check_telescopes(
    activity: Document, *, entities: Mapping[str, Document], findings: Findings
) -> None:
    """Find an activity whose inputs and outputs are of different telescopes.

    Args:
        activity: The activity.
        entities: The described entities of its links, by id.
        findings: Where to add what is wrong.
    """
    used = _files_of_telescopes(activity.get(f.USED, ()), entities)
    generated = _files_of_telescopes(activity.get(f.GENERATED, ()), entities)
    # A file that names no telescope may be of any.
    if not used or not generated or used.keys() == generated.keys():
        return
    foreign = sorted(generated.keys() - used.keys())
    unused = sorted(used.keys() - generated.keys())
    file = generated[foreign[0]] if foreign else used[unused[0]]
    detail = (
        f"used files of {_listed(used)} and generated files of {_listed(generated)}"
    )
    findings.add(
        Fault("across telescopes", activity.get(f.NAME), detail), activity, file=file
    )


def _files_of_telescopes(
    links: Iterable[Mapping[str, Any]], entities: Mapping[str, Document]
) -> dict[str, Document]:
    """Return the first file of each telescope, by telescope."""
    files: dict[str, Document] = {}
    for link in links:
        entity = entities.get(link[f.ENTITY], {})
        telescope = entity.get(f.TELESCOPE)
        if telescope is not None:
            files.setdefault(telescope, entity)
    return files


def _listed(telescopes: Iterable[str]) -> str:
    return " and ".join(sorted(telescopes))
