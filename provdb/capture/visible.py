"""What a call of a function can see, and where a path to a value may start."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from provdb.capture.problems import shield

__all__ = ["INSTANCES", "Visible"]

# How the first argument of a method is called.
INSTANCES: Final = ("self", "cls")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """What a call of a function can see.

    Attributes:
        arguments: Its arguments by name.
        places: Where a path may start, the first one first.
    """

    arguments: Mapping[str, Any]
    places: tuple[object, ...]

    @classmethod
    def of(
        cls,
        function: Callable[..., Any],
        signature: inspect.Signature | None,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        variables: Callable[..., object] | None,
    ) -> "Visible":
        """Return what a call sees: arguments, variables, its object, its module.

        Args:
            function: The function that is called, which may have wrapped others.
            signature: Its signature, or None if it has none.
            args: The positional arguments of the call.
            kwargs: The others.
            variables: Gives more of what the call sees, for the same arguments.
        """
        arguments = _arguments(signature, args, kwargs)
        places: list[object] = [{"args": args, "kwargs": kwargs, **kwargs, **arguments}]
        if variables is not None:
            with shield(getattr(function, "__name__", "an activity")):
                places.append(variables(*args, **kwargs))
        if next(iter(arguments), None) in INSTANCES:
            places.append(next(iter(arguments.values())))
        wrapped = inspect.unwrap(function)
        # lstosa sets what it parsed on the function itself.
        places += [getattr(one, "__dict__", {}) for one in (function, wrapped)]
        places.append(getattr(wrapped, "__globals__", {}))
        return cls(arguments=arguments, places=tuple(places))

    def with_result(self, result: object) -> tuple[object, ...]:
        """Return the places when the function has returned."""
        return (self.places[0], {"result": result}, *self.places[1:])


def _arguments(
    signature: inspect.Signature | None,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the arguments of a call by name, also those that have their default."""
    if signature is None:
        return dict(kwargs)
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError:  # The function itself will say so.
        return dict(kwargs)
    bound.apply_defaults()
    return bound.arguments
