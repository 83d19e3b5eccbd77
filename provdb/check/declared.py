"""Activities against what a definition declares that they use and generate."""

from collections.abc import Mapping
from typing import Final

from provdb.capture.descriptions import ActivityDescription, Definition
from provdb.check.report import Fault, Findings
from provdb.model import Document
from provdb.model import fields as f

__all__ = ["check_declared"]

_COMPLETED: Final = "completed"


def check_declared(
    activity: Document,
    *,
    definition: Definition,
    entities: Mapping[str, Document],
    findings: Findings,
) -> None:
    """Find what an activity lacks, and what it has that is not declared.

    Args:
        activity: The activity; its start is known.
        definition: What each activity should use and generate.
        entities: The described entities of its links, by id.
        findings: Where to add what is wrong.
    """
    step = activity.get(f.NAME)
    if step is None:
        return
    declared = definition.activities.get(step)
    if declared is None:
        fault = Fault("undeclared activity", step, "not in the definition")
        findings.add(fault, activity)
        return
    for relation, (needed, known) in _roles(declared).items():
        links = activity.get(relation, ())
        roles = {link[f.ROLE] for link in links if f.ROLE in link}
        for role in sorted(roles - known):
            fault = Fault("undeclared role", step, f"{relation}: {role}")
            findings.add(fault, activity)
        if activity[f.STATUS] == _COMPLETED:
            for role in sorted(needed - roles):
                fault = Fault("missing role", step, f"{relation}: {role}")
                findings.add(fault, activity)
        names = {
            str(name)
            for link in links
            if (name := entities.get(link[f.ENTITY], {}).get(f.NAME)) is not None
        }
        for name in sorted(names - definition.entities.keys()):
            fault = Fault("undeclared entity", step, f"{relation}: {name}")
            findings.add(fault, activity)


def _roles(declared: ActivityDescription) -> dict[str, tuple[set[str], set[str]]]:
    """Return the roles that a usage and a generation need, and those they may have."""
    needed = {
        relation: {link.role for link in links if link.role is not None}
        for relation, links in (
            (f.USED, declared.usage),
            (f.GENERATED, declared.generation),
        )
    }
    # What is changed in place is used and generated in one role.
    changed = {
        link.role
        for link in (*declared.usage, *declared.generation)
        if link.overwrite and link.role is not None
    }
    return {relation: (roles, roles | changed) for relation, roles in needed.items()}
