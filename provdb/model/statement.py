"""Statements of W3C PROV, as plain values: what every format of PROV can say.

They are what provdb writes into PROV documents, and what it reads from them, so that
no other part needs the library of the formats. Names are whole URIs. See
https://www.w3.org/TR/prov-dm/ for what the kinds mean.
"""

from typing import Any, Final, NamedTuple

from provdb.model.qualified import PROV, XSD

__all__ = [
    "ARGUMENTS",
    "ELEMENTS",
    "LABEL",
    "LOCATION",
    "PLAIN_RELATIONS",
    "ROLE",
    "TIMES",
    "TYPE",
    "Statement",
    "Value",
    "name_value",
    "time_value",
]

# A text, a bool, an integer or a float as it is; else a mapping of ``value``, a text,
# with its ``type``, a URI, or with its ``lang``.
Value = Any

LABEL: Final = f"{PROV}label"
LOCATION: Final = f"{PROV}location"
ROLE: Final = f"{PROV}role"
TYPE: Final = f"{PROV}type"

ELEMENTS: Final = ("entity", "activity", "agent")
TIMES: Final = ("startTime", "endTime", "time")
# What each kind of statement says of what, in the order of PROV-N.
ARGUMENTS: Final = {
    "entity": (),
    "activity": ("startTime", "endTime"),
    "agent": (),
    "used": ("activity", "entity", "time"),
    "wasGeneratedBy": ("entity", "activity", "time"),
    "wasInvalidatedBy": ("entity", "activity", "time"),
    "wasStartedBy": ("activity", "trigger", "starter", "time"),
    "wasEndedBy": ("activity", "trigger", "ender", "time"),
    "wasInformedBy": ("informed", "informant"),
    "wasDerivedFrom": (
        *("generatedEntity", "usedEntity"),
        *("activity", "generation", "usage"),
    ),
    "wasAttributedTo": ("entity", "agent"),
    "wasAssociatedWith": ("activity", "agent", "plan"),
    "actedOnBehalfOf": ("delegate", "responsible", "activity"),
    "wasInfluencedBy": ("influencee", "influencer"),
    "specializationOf": ("specificEntity", "generalEntity"),
    "alternateOf": ("alternate1", "alternate2"),
    "mentionOf": ("specificEntity", "generalEntity", "bundle"),
    "hadMember": ("collection", "entity"),
}
# Relations that PROV-O also has as one triple: its subject and its object.
PLAIN_RELATIONS: Final = {
    kind: names[:2]
    for kind, names in ARGUMENTS.items()
    if kind not in (*ELEMENTS, "mentionOf")
}


class Statement(NamedTuple):
    """One statement.

    Attributes:
        kind: Its name in PROV-N, a key of `ARGUMENTS`.
        id: What it is called, or None for a relation without a name.
        arguments: What it is about: names as of `ARGUMENTS`, and URIs or times.
        attributes: What else it says: URIs, and values. One may be there many times.
        bundle: The bundle that it stands in, or None for the document itself.
    """

    kind: str
    id: str | None = None
    arguments: tuple[tuple[str, str], ...] = ()
    attributes: tuple[tuple[str, Value], ...] = ()
    bundle: str | None = None

    def argument(self, name: str) -> str | None:
        """Return what one argument is, or None if it is left out.

        >>> used = Statement("used", None, (("activity", "urn:a"),))
        >>> used.argument("activity"), used.argument("entity")
        ('urn:a', None)
        """
        return next((value for key, value in self.arguments if key == name), None)

    def value(self, attribute: str) -> Value:
        """Return the first value of one attribute, or None if it has none.

        >>> Statement("entity", "urn:e", (), ((LABEL, "DL1"),)).value(LABEL)
        'DL1'
        """
        return next((value for key, value in self.attributes if key == attribute), None)

    def values(self, attribute: str) -> list[Value]:
        """Return all values of one attribute.

        >>> Statement("entity", "urn:e", (), ((LABEL, "DL1"),)).values(LABEL)
        ['DL1']
        """
        return [value for key, value in self.attributes if key == attribute]


def name_value(uri: str) -> Value:
    """Return a value that names something."""
    return {"value": uri, "type": f"{PROV}QUALIFIED_NAME"}


def time_value(text: str) -> Value:
    """Return a value that is a time."""
    return {"value": text, "type": f"{XSD}dateTime"}
