"""Cycles of a directed graph: its strongly connected components, and their ranks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

__all__ = ["components", "ranks"]

_Node = TypeVar("_Node")


def components(targets: Mapping[_Node, Sequence[_Node]]) -> Iterator[list[_Node]]:
    """Yield the strongly connected components of a graph, those that are led to first.

    It is the algorithm of Tarjan (1972), without recursion: chains can be long.

    Args:
        targets: The nodes that each node leads to.

    >>> list(components({"dl2": ["dl1"], "dl1": ["dl1ab"], "dl1ab": ["dl1"]}))
    [['dl1ab', 'dl1'], ['dl2']]
    """
    number: dict[_Node, int] = {}
    lowest: dict[_Node, int] = {}
    open_nodes: dict[_Node, None] = {}
    for root in targets:
        if root in number:
            continue
        number[root] = lowest[root] = len(number)
        open_nodes[root] = None
        path = [(root, iter(targets[root]))]
        while path:
            node, rest = path[-1]
            target = next((t for t in rest if t not in number or t in open_nodes), None)
            if target is None:
                path.pop()
                if path:
                    above = path[-1][0]
                    lowest[above] = min(lowest[above], lowest[node])
                if lowest[node] == number[node]:
                    found: list[_Node] = []
                    while not found or found[-1] != node:
                        found.append(open_nodes.popitem()[0])
                    yield found
            elif target in number:
                lowest[node] = min(lowest[node], number[target])
            else:
                number[target] = lowest[target] = len(number)
                open_nodes[target] = None
                path.append((target, iter(targets.get(target, ()))))


def ranks(targets: Mapping[_Node, Sequence[_Node]]) -> dict[_Node, int]:
    """Return how long the longest chain below each node is; a cycle counts as one.

    A node has a higher rank than what it leads to, unless that leads back to it.

    >>> ranks({"dl2": ["dl1", "config"], "dl1": ["r0"]})
    {'r0': 0, 'dl1': 1, 'config': 0, 'dl2': 2}
    """
    found: dict[_Node, int] = {}
    for component in components(targets):
        inside = set(component)
        below = (t for node in component for t in targets.get(node, ()))
        rank = max((found[t] + 1 for t in below if t not in inside), default=0)
        found.update(dict.fromkeys(component, rank))
    return found
