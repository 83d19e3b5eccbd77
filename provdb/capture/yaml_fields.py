"""Fields of a YAML text, each checked, and each problem with its line.

YAML is composed and not loaded: its nodes know their lines, and no object is built.
"""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

from provdb.errors import ReadError

__all__ = ["Node", "YamlFields", "hint", "is_null", "line_of"]

_NULL: Final = "tag:yaml.org,2002:null"
_BOOLEAN: Final = "tag:yaml.org,2002:bool"
_YES: Final = ("yes", "true", "on")


class Node(Protocol):
    """A node of PyYAML.

    Attributes:
        id: ``mapping``, ``sequence`` or ``scalar``.
        tag: What the value is, such as a text or nothing.
        value: The nodes in it, or the text of a scalar.
        start_mark: Where it starts.
    """

    id: str
    tag: str
    value: Any
    start_mark: Any


class YamlFields:
    """Reads the fields of one YAML text, and collects what is wrong with them.

    Attributes:
        root: The outermost node, or None if there is none.
        problems: What is wrong, in the order in which it was met.
    """

    def __init__(self, text: str, *, source: str) -> None:
        """Compose a text; what is no YAML is a problem too.

        Args:
            text: The text.
            source: Path or name of it, for the problems.
        """
        self._source = source
        self.problems: list[ReadError] = []
        self.root: Node | None = self._compose(text)

    def problem(self, reason: str, *, line: int | None) -> None:
        """Collect a problem."""
        self.problems.append(ReadError(self._source, reason, line=line))

    def items(self, node: Node | None, what: str) -> list[tuple[str, Node]]:
        """Return the keys and the values of a mapping, in their order.

        Args:
            node: The mapping, or nothing.
            what: What it is, for the problems.
        """
        if node is None or is_null(node):
            return []
        if node.id != "mapping":
            self.problem(f"{what} is {_kind(node)}, not a mapping", line=line_of(node))
            return []
        found: dict[str, Node] = {}
        for key, value in self._flat(node):
            if key.id != "scalar":
                self.problem(f"a key of {what} is {_kind(key)}", line=line_of(key))
                continue
            if key.value in found:
                self.problem(f"{what} has {key.value} twice", line=line_of(key))
            found[key.value] = value
        return list(found.items())

    def fields(
        self, node: Node | None, what: str, *, known: Sequence[str]
    ) -> dict[str, Node]:
        """Return the known fields of a mapping; others are problems.

        Args:
            node: The mapping, or nothing.
            what: What it is, for the problems.
            known: The keys that it can have.
        """
        fields: dict[str, Node] = {}
        for key, value in self.items(node, what):
            if key in known:
                fields[key] = value
                continue
            self.problem(
                f"{what} has no key {key}{hint(key, known)}", line=line_of(value)
            )
        return fields

    def list(self, node: Node | None, what: str) -> list[Node]:
        """Return the items of a list."""
        if node is None or is_null(node):
            return []
        if node.id != "sequence":
            self.problem(f"{what} is {_kind(node)}, not a list", line=line_of(node))
            return []
        return [item for item in node.value if not is_null(item)]

    def text(self, node: Node | None, what: str) -> str | None:
        """Return a text, which may be written as a number; None if it is empty."""
        if node is None or is_null(node):
            return None
        if node.id != "scalar":
            self.problem(f"{what} is {_kind(node)}, not a text", line=line_of(node))
            return None
        return str(node.value) or None

    def flag(self, node: Node | None, what: str) -> bool | None:
        """Return a yes or no."""
        if node is None or is_null(node):
            return None
        if node.tag != _BOOLEAN:
            self.problem(
                f"{what} is {_kind(node)}, not true or false", line=line_of(node)
            )
            return None
        return node.value.lower() in _YES

    def choice(
        self, node: Node | None, what: str, *, options: Sequence[str]
    ) -> str | None:
        """Return a text that is one of a few."""
        found = self.text(node, what)
        if node is None or found is None or found in options:
            return found
        listed = ", ".join(options)
        self.problem(
            f"{what} {found} is none of {listed}{hint(found, options)}",
            line=line_of(node),
        )
        return None

    def _compose(self, text: str) -> Node | None:
        # Loading PyYAML takes longer than reading a definition.
        import yaml

        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            self._loader = loader(text)
            node: Node | None = self._loader.get_single_node()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = None if mark is None else mark.line + 1
            self.problem(f"it is no YAML: {error.problem or error}", line=line)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            self.problem(f"it is no YAML: {error}", line=None)
        else:
            return node
        return None

    def _flat(self, node: Node) -> Iterable[tuple[Node, Node]]:
        """Return the pairs of a mapping, also those of mappings merged by ``<<``."""
        import yaml

        try:
            self._loader.flatten_mapping(node)
        except (yaml.YAMLError, RecursionError):
            self.problem("what << names cannot be merged", line=line_of(node))
        pairs: list[tuple[Node, Node]] = node.value
        return pairs


def line_of(node: Node) -> int:
    """Return the line of a node, from 1."""
    return int(node.start_mark.line) + 1


def is_null(node: Node) -> bool:
    """Say whether nothing is written."""
    return bool(node.tag == _NULL)


def hint(name: str, known: Iterable[str]) -> str:
    """Return what may be meant, as the end of a sentence."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _kind(node: Node) -> str:
    return {"mapping": "a mapping", "sequence": "a list"}.get(
        str(node.id), f"{node.value!r}"
    )
