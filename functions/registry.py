"""The functions the model may call: three decorators put them here, dispatch and the prompt read them.

A decorator never refuses a badly written function: `manage.py check` says all that is wrong at once (`checks`). Only
two functions of one name end the start.
"""

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar, get_type_hints
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from pydantic import BaseModel

from functions.definitions import DEFAULT_RESULT_BYTES, Example, Function, Handler
from functions.enums import FunctionClass
from functions.schemas import digest_schema

__all__ = [
    "REGISTRY",
    "SCOPES",
    "Function",
    "Registry",
    "action",
    "find_session_scopes",
    "get_function",
    "list_functions",
    "money",
    "read",
]

PUBLIC_SCOPE = "public"
SCOPES = frozenset(
    {
        "accounts",
        "actions",
        "bills:pay",
        "cards",
        "cards:block",
        "cards:manage",
        "payees",
        PUBLIC_SCOPE,
        "statements",
        "transactions",
        "transfers:own",
        "transfers:sbp",
    }
)

Context = TypeVar("Context")
Parameters = TypeVar("Parameters", bound=BaseModel)
Returned = TypeVar("Returned")
Step = TypeVar("Step", bound=Handler)


class Declared(Generic[Context, Parameters, Returned]):
    """A handler after its decorator: called as before, and the place to hang its other steps on."""

    def __init__(self, registry: "Registry", name: str, handler: Callable[[Context, Parameters], Returned]) -> None:
        self.name = name
        self._registry = registry
        self._handler = handler

    def __call__(self, ctx: Context, arguments: Parameters) -> Returned:
        return self._handler(ctx, arguments)

    def execute(self, executor: Step) -> Step:
        """Decorate what carries a confirmed plan out: `(ctx: ExecCtx, plan) -> Executed`."""
        self._registry.amend(self.name, executor=executor)
        return executor

    def prepare(self, preparation: Step) -> Step:
        """Decorate what asks an outside system before the transaction: `(ctx, args) -> object`, see `ctx.prepared`."""
        self._registry.amend(self.name, preparation=preparation)
        return preparation


class Decorator(Protocol):
    """Takes any handler; an alias of Callable would be bound to nothing before it meets one."""

    def __call__(
        self, handler: Callable[[Context, Parameters], Returned], /
    ) -> Declared[Context, Parameters, Returned]: ...


class Registry:
    """A set of functions by name."""

    def __init__(self) -> None:
        self._functions: dict[str, Function] = {}

    def get_function(self, name: str) -> Function | None:
        return self._functions.get(name)

    def list_functions(self, scopes: Collection[str] | None = None) -> list[Function]:
        """Return the functions that a session with these scopes may call, by name; None: all there are."""
        # Not in the order of registration, which is that of imports: what the model is told must not depend on it.
        known = sorted(self._functions.values(), key=lambda function: function.name)
        return [function for function in known if scopes is None or function.scopes <= set(scopes)]

    def amend(self, name: str, **changes: Any) -> None:
        self._functions[name] = replace(self._functions[name], **changes)

    def add(self, function: Function) -> None:
        """Raises: ImproperlyConfigured when the name is taken"""
        if function.name in self._functions:
            raise ImproperlyConfigured(f"two functions are called {function.name}")
        self._functions[function.name] = replace(function, schema_hash=digest_schema(function))

    def read(
        self,
        name: str,
        *,
        version: int,
        scopes: Iterable[str],
        label: Any,
        examples: Iterable[Example] = (),
        result_limit: int = DEFAULT_RESULT_BYTES,
    ) -> Decorator:
        """Decorate `(ctx: Ctx, a: Args) -> Result`, run in a read-only transaction; the docstring is for the model."""
        facts = {"version": version, "scopes": scopes, "label": label, "examples": examples}
        return self._declare(name, FunctionClass.READ, facts | {"result_bytes": result_limit})

    def action(
        self,
        name: str,
        *,
        version: int,
        scopes: Iterable[str],
        label: Any,
        result: type[BaseModel] | None = None,
        examples: Iterable[Example] = (),
        is_immediate: bool = False,
    ) -> Decorator:
        """Decorate `(ctx: Ctx, a: Args) -> Plan`, a dry run whose plan the customer confirms; no money moves.

        result        the model of what an execution returns
        is_immediate  the handler is `(ctx: ExecCtx, a: Args) -> Result` and is carried out at once
        """
        facts = {"version": version, "scopes": scopes, "label": label, "examples": examples}
        return self._declare(name, FunctionClass.ACTION, facts | {"result": result, "is_immediate": is_immediate})

    def money(
        self,
        name: str,
        *,
        version: int,
        scopes: Iterable[str],
        label: Any,
        result: type[BaseModel],
        examples: Iterable[Example] = (),
    ) -> Decorator:
        """Decorate `(ctx: Ctx, a: Args) -> Plan`, a dry run; money moves in `.execute`, after the customer's yes."""
        facts = {"version": version, "scopes": scopes, "label": label, "examples": examples}
        return self._declare(name, FunctionClass.MONEY, facts | {"result": result})

    def _declare(self, name: str, kind: FunctionClass, facts: Mapping[str, Any]) -> Decorator:
        def declare(handler: Callable[[Context, Parameters], Returned]) -> Declared[Context, Parameters, Returned]:
            self.add(build_function(name, kind, handler=handler, facts=facts))
            return Declared(self, name, handler)

        return declare


def build_function(name: str, kind: FunctionClass, *, handler: Handler, facts: Mapping[str, Any]) -> Function:
    """Return the function with what its handler's signature and docstring say."""
    args, returned = read_signature(handler)
    is_plan = kind != FunctionClass.READ and not facts.get("is_immediate")
    given = {
        **facts,
        "scopes": frozenset(facts["scopes"]),
        "examples": tuple(facts["examples"]),
        "result": facts["result"] if is_plan else returned,
    }
    plan = returned if is_plan else None
    description = read_description(handler)
    return Function(name=name, kind=kind, description=description, args=args, plan=plan, handler=handler, **given)


def read_signature(handler: Handler) -> tuple[type[BaseModel] | None, type[BaseModel] | None]:
    """Return the models of the second parameter and of what is returned; None for what is no model."""
    try:
        hints = get_type_hints(handler)
    except (NameError, TypeError):
        return None, None
    names = list(inspect.signature(handler).parameters)
    found = hints.get(names[1]) if len(names) > 1 else None
    return to_model(found), to_model(hints.get("return"))


def to_model(hint: object) -> type[BaseModel] | None:
    return hint if isinstance(hint, type) and issubclass(hint, BaseModel) else None


def read_description(handler: Handler) -> str:
    """Return the docstring on one line; "" without one."""
    return " ".join((inspect.getdoc(handler) or "").split())


def find_session_scopes(session_id: UUID | None) -> frozenset[str]:
    """Return what a session lets the model call: all that FUNCTION_SCOPES leaves; without one only what is public."""
    allowed = SCOPES & frozenset(settings.FUNCTION_SCOPES) if settings.FUNCTION_SCOPES else SCOPES
    return allowed if session_id is not None else allowed & {PUBLIC_SCOPE}


REGISTRY = Registry()
read, action, money = REGISTRY.read, REGISTRY.action, REGISTRY.money
get_function, list_functions = REGISTRY.get_function, REGISTRY.list_functions
