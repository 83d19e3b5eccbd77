"""Decorators that record what functions use and generate, as a definition declares.

A traced function does what it did, whatever happens to the capture: it returns the
same value, raises the same error and has the same signature.
"""

import functools
import inspect
import os
from collections.abc import Callable
from types import FunctionType
from typing import Any, Final, TypeVar, cast, overload

from provdb.capture.descriptions import ActivityDescription, Definition
from provdb.capture.in_use import definition_in_use, known_definition
from provdb.capture.problems import is_shielded, report, shield
from provdb.capture.traced_call import TracedCall, UntracedCall
from provdb.capture.visible import Visible
from provdb.capture.yaml_fields import hint

__all__ = ["trace", "trace_class"]

_Traced = TypeVar("_Traced", bound=Callable[..., Any])
_Class = TypeVar("_Class", bound=type)
_DefinitionSource = Definition | str | os.PathLike[str] | None
_ROUTINES: Final = (FunctionType, staticmethod, classmethod)


@overload
def trace(function: _Traced, /) -> _Traced: ...


@overload
def trace(
    *,
    name: str | None = None,
    definition: _DefinitionSource = None,
    variables: Callable[..., object] | None = None,
) -> Callable[[_Traced], _Traced]: ...


def trace(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    definition: _DefinitionSource = None,
    variables: Callable[..., object] | None = None,
) -> Any:
    """Record each call of a function as an activity.

    It may be a function, a method, a generator or asynchronous. What it uses and
    generates is looked for among its arguments, what *variables* gives, the
    attributes of its object, those of the function itself, and the globals of its
    module, in this order; ``result`` is what it returned. An activity that is not
    declared is recorded with its arguments as parameters.

    In a dry execution it is recorded and not run, and returns None.

    Args:
        function: The function, where the decorator has no arguments.
        name: Name of the activity; that of the function unless told.
        definition: The definition or its file, other than the one in use.
        variables: Called with the arguments of each call, before it; gives a mapping
            or an object with further values, as lstosa parses its variables.

    >>> from provdb.capture.definition import parse_definition
    >>> definition = parse_definition('''
    ... activities:
    ...   r0_to_dl1:
    ...     session_tag: "{activity}:{run}"
    ...     usage:
    ...       - {role: Observation subrun, entityName: R0SubrunDataset, value: raw}
    ...     generation:
    ...       - {role: DL1 subrun dataset, entityName: DL1SubrunDataset, value: result}
    ... entities:
    ...   R0SubrunDataset: {type: File}
    ...   DL1SubrunDataset: {type: File}
    ... ''')
    >>> @trace(definition=definition)
    ... def r0_to_dl1(raw):
    ...     return "/DL1/dl1_LST-1.Run01618.0008.h5"
    >>> r0_to_dl1("/R0/LST-1.1.Run01618.0008.fits.fz")
    '/DL1/dl1_LST-1.Run01618.0008.h5'
    """
    if function is None:
        return functools.partial(
            _trace, name=name, definition=definition, variables=variables
        )
    return _trace(function, name=name, definition=definition, variables=variables)


@overload
def trace_class(traced: _Class, /) -> _Class: ...


@overload
def trace_class(
    *, definition: _DefinitionSource = None
) -> Callable[[_Class], _Class]: ...


def trace_class(traced: Any = None, /, *, definition: _DefinitionSource = None) -> Any:
    """Trace the public methods of a class that the definition declares.

    A method is declared by its name, or by ``Class.method`` where several classes
    have methods of one name. Methods that are not declared are left alone.

    Args:
        traced: The class, where the decorator has no arguments.
        definition: The definition or its file, other than the one in use.
    """
    if traced is None:
        return functools.partial(_trace_methods, definition=definition)
    return _trace_methods(traced, definition=definition)


def _trace(
    function: Any,
    *,
    name: str | None,
    definition: _DefinitionSource,
    variables: Callable[..., object] | None,
) -> Any:
    if isinstance(function, type):
        return _trace_methods(function, definition=definition)
    tracer = _Tracer(function, name=name, definition=definition, variables=variables)
    return tracer.traced()


def _trace_methods(traced: type, *, definition: _DefinitionSource) -> type:
    for name, method in list(vars(traced).items()):
        if not name.startswith("_") and isinstance(method, _ROUTINES):
            tracer = _Tracer(method, definition=definition, is_declared_only=True)
            setattr(traced, name, tracer.traced())
    return traced


class _Tracer:
    """What is known of a traced function beside the single call."""

    def __init__(
        self,
        routine: Any,
        *,
        name: str | None = None,
        definition: _DefinitionSource,
        variables: Callable[..., object] | None = None,
        is_declared_only: bool = False,
    ) -> None:
        """Keep what every call of a function has in common.

        Args:
            routine: The function, also as ``staticmethod`` or ``classmethod``.
            name: Name of the activity, if it is another one.
            definition: Where it is declared, if not in the one in use.
            variables: Gives further values.
            is_declared_only: Whether it is left alone where it is not declared.
        """
        self._kind = (
            type(routine) if isinstance(routine, staticmethod | classmethod) else None
        )
        self._function = routine if self._kind is None else routine.__func__
        self._names = _names(self._function) if name is None else (name,)
        self._definition = (
            definition
            if definition is None or isinstance(definition, Definition)
            else os.path.abspath(os.fsdecode(definition))
        )
        self._variables = variables
        self._is_declared_only = is_declared_only
        self._signature = _signature(self._function)

        self._wrapper = _wrapper(self._function, self.begin)

    def traced(self) -> Any:
        """Return what stands in the place of the function."""
        return self._wrapper if self._kind is None else self._kind(self._wrapper)

    def begin(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> TracedCall | UntracedCall:
        """Record the start of a call; whatever goes wrong, there is a call to run."""
        if is_shielded():
            return UntracedCall()
        with shield(self._names[-1]):
            definition = self._known_definition()
            description = _described(definition, self._names)
            if description is None:
                if self._is_declared_only:
                    return UntracedCall()
                self._say_undeclared(definition)
            return TracedCall(
                self._names[-1] if description is None else description.name,
                description,
                Visible.of(
                    self._wrapper,
                    self._signature,
                    args,
                    kwargs,
                    variables=self._variables,
                ),
                source="" if definition is None else definition.source,
            )
        return UntracedCall()

    def _known_definition(self) -> Definition | None:
        if isinstance(self._definition, str):
            return known_definition(self._definition)
        return self._definition or definition_in_use()

    def _say_undeclared(self, definition: Definition | None) -> None:
        if definition is None:
            report(
                "no definition is in use, so activities are recorded with their "
                "arguments alone; name one in PROVDB_DEFINITION"
            )
            return
        name = self._names[-1]
        near = hint(name, definition.activities)
        report(f"{definition.source}: activity {name} is not declared{near}")


def _signature(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):  # Some built-in functions have none.
        return None


def _described(
    definition: Definition | None, names: tuple[str, ...]
) -> ActivityDescription | None:
    if definition is None:
        return None
    found = (definition.activities.get(name) for name in names)
    return next((description for description in found if description), None)


def _names(function: Any) -> tuple[str, ...]:
    """Return how a definition may call a function, the most exact name first."""
    name = getattr(function, "__name__", type(function).__name__)
    parts = getattr(function, "__qualname__", name).split(".")
    if len(parts) > 1 and parts[-2] != "<locals>":
        return f"{parts[-2]}.{name}", name
    return (name,)


_Begin = Callable[[tuple[Any, ...], dict[str, Any]], TracedCall | UntracedCall]


def _wrapper(function: Any, begin: _Begin) -> Any:
    if inspect.isasyncgenfunction(function):
        wrapper = _of_async_generator(function, begin)
    elif inspect.iscoroutinefunction(function):
        wrapper = _of_coroutine(function, begin)
    elif inspect.isgeneratorfunction(function):
        wrapper = _of_generator(function, begin)
    else:
        wrapper = _of_function(function, begin)
    return functools.update_wrapper(_at_home(wrapper, function), function)


def _at_home(wrapper: Callable[..., Any], function: Any) -> Callable[..., Any]:
    """Return a wrapper that has the globals of the function's own module.

    doctest takes a function with other globals for an imported one, and leaves its
    examples out. Wrappers have no globals of their own, only closures.
    """
    made = cast(FunctionType, wrapper)
    home = getattr(inspect.unwrap(function), "__globals__", None)
    if home is None:
        return wrapper
    return FunctionType(made.__code__, home, made.__name__, None, made.__closure__)


def _of_function(function: Any, begin: _Begin) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = begin(args, kwargs)
        if call.is_dry:
            return None
        with call:
            result = call.result = function(*args, **kwargs)
        return result

    return wrapper


def _of_coroutine(function: Any, begin: _Begin) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = begin(args, kwargs)
        if call.is_dry:
            return None
        with call:
            result = call.result = await function(*args, **kwargs)
        return result

    return wrapper


def _of_generator(function: Any, begin: _Begin) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = begin(args, kwargs)
        if call.is_dry:
            return None
        failure = None
        try:
            generator = function(*args, **kwargs)
            step, sent = generator.send, None
            while True:
                # Between its steps others run, which it did not start.
                call.enter()
                try:
                    item = step(sent)
                except StopIteration as stop:
                    call.result = stop.value
                    return stop.value
                finally:
                    call.leave()
                try:
                    sent = yield item
                    step = generator.send
                except GeneratorExit:
                    generator.close()
                    raise
                except BaseException as error:
                    step, sent = generator.throw, error
        except BaseException as error:
            failure = error
            raise
        finally:
            call.end(failure)
            failure = sent = None

    return wrapper


def _of_async_generator(function: Any, begin: _Begin) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = begin(args, kwargs)
        if call.is_dry:
            return
        failure = None
        try:
            generator = function(*args, **kwargs)
            step, sent = generator.asend, None
            while True:
                call.enter()
                try:
                    item = await step(sent)
                except StopAsyncIteration:
                    return
                finally:
                    call.leave()
                try:
                    sent = yield item
                    step = generator.asend
                except GeneratorExit:
                    await generator.aclose()
                    raise
                except BaseException as error:
                    step, sent = generator.athrow, error
        except BaseException as error:
            failure = error
            raise
        finally:
            call.end(failure)
            failure = sent = None

    return wrapper
