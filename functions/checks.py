"""What is wrong with a function is said by `manage.py check`, all of it at once, before the server starts.

E001 no description for the model          E006 no model of the result
E002 a type GigaChat cannot carry          E007 a name that is not allowed, or the provider's own
E003 too many parameters                   E008 an example that is not valid
E004 a parameter that says whose data      E009 an unknown scope
E005 a change without plan and execution   E010 a result with a personal value that is not masked
W001 too many functions offered at once    W002 another schema under the same version
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's own name
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError

from functions.arguments import Args, name_parameters, names_identity, parse_arguments
from functions.definitions import Function
from functions.enums import FunctionClass
from functions.errors import CallRefused
from functions.plans import Plan
from functions.registry import REGISTRY, SCOPES, Registry
from functions.results import Result
from functions.schemas import HANDLE, MASK, Fault, Schema, find_faults, flatten_arguments, flatten_result
from functions.versions import Locked, list_unraised, read_lock

MIN_DESCRIPTION = 30
MAX_PARAMETERS = 8
MAX_OFFERED = 20
NAME = re.compile(r"[a-z][a-z0-9_]{2,63}")
# The provider's own; a function of ours by one of these names would start something else.
PROVIDER_NAMES = frozenset({"text2image", "text2model3d", "get_file_content", "web_search"})
PERSONAL = frozenset(
    {
        "address",
        "counterparty",
        "email",
        "fio",
        "holder",
        "inn",
        "name",
        "number",
        "pan",
        "passport",
        "patronymic",
        "phone",
        "recipient",
        "surname",
    }
)


def check_functions(**_options: object) -> list[CheckMessage]:
    """Check all registered functions; Django calls this, whatever apps it is asked about."""
    return check_registry(REGISTRY, read_lock())


def check_registry(registry: Registry, lock: Mapping[str, Locked]) -> list[CheckMessage]:
    functions = registry.list_functions()
    found = [message for function in functions for message in check_function(function)]
    return [*found, *check_offer(functions), *check_versions(functions, lock)]


def check_function(function: Function) -> list[CheckMessage]:
    checks = (
        check_description,
        check_types,
        check_parameter_count,
        check_identities,
        check_steps,
        check_result,
        check_name,
        check_examples,
        check_scopes,
        check_masks,
    )
    return [message for check in checks for message in check(function)]


def fail(number: int, function: Function, text: str, hint: str = "") -> Error:
    return Error(f"{function.name}: {text}", hint=hint or None, id=f"functions.E{number:03}")


def check_description(function: Function) -> Iterator[CheckMessage]:
    if len(function.description) < MIN_DESCRIPTION:
        yield fail(
            1, function, f"fewer than {MIN_DESCRIPTION} characters of description", "Write a docstring in Russian."
        )


def check_types(function: Function) -> Iterator[CheckMessage]:
    if function.args is None or not issubclass(function.args, Args):
        yield fail(2, function, "the second parameter of the handler is no Args model")
        return
    for path, reason in list_faults(function):
        yield fail(2, function, f"{path}: {reason}", "GigaChat carries plain types, string enums, arrays and objects.")


def list_faults(function: Function) -> list[Fault]:
    try:
        in_arguments = list(find_faults(flatten_arguments(function.args), "parameters", is_result=False))
        return [*in_arguments, *find_faults(flatten_result(function.result), "result", is_result=True)]
    except (PydanticInvalidForJsonSchema, PydanticSchemaGenerationError):
        return [("parameters or result", "has no JSON schema")]


def check_parameter_count(function: Function) -> Iterator[CheckMessage]:
    count = len(function.args.model_fields) if function.args else 0
    if count > MAX_PARAMETERS:
        yield fail(3, function, f"{count} parameters, at most {MAX_PARAMETERS} are filled in reliably")


def check_identities(function: Function) -> Iterator[CheckMessage]:
    properties = read_properties(function)
    for name in name_parameters(function.args) if function.args else ():
        if names_identity(name) and HANDLE not in properties.get(name, {}):
            yield fail(
                4, function, f"the parameter {name} says whose data is meant", "The session says it; take a handle."
            )


def read_properties(function: Function) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = flatten_arguments(function.args).get("properties", {})
    except (PydanticInvalidForJsonSchema, PydanticSchemaGenerationError):
        return {}
    return found


def check_steps(function: Function) -> Iterator[CheckMessage]:
    if function.asks_customer:
        if function.plan is None or not issubclass(function.plan, Plan):
            yield fail(5, function, "the handler returns no Plan")
        if function.executor is None:
            yield fail(5, function, "nothing executes the plan", "Decorate a function with `.execute`.")
    elif function.executor is not None:
        yield fail(5, function, "executes something nobody has confirmed")
    if function.kind == FunctionClass.READ and function.result is not None and issubclass(function.result, Plan):
        yield fail(5, function, "a read plans nothing")


def check_result(function: Function) -> Iterator[CheckMessage]:
    if function.result is None or not issubclass(function.result, Result):
        yield fail(6, function, "the result is no Result model")


def check_name(function: Function) -> Iterator[CheckMessage]:
    if not NAME.fullmatch(function.name) or function.name in PROVIDER_NAMES:
        yield fail(7, function, "the name is not allowed")


def check_examples(function: Function) -> Iterator[CheckMessage]:
    if function.args is None:
        return
    for said, arguments in function.examples:
        try:
            parse_arguments(function, arguments)
        except CallRefused as refused:
            names = ", ".join(field.name for field in refused.fields)
            yield fail(8, function, f"the example {said!r} is not valid: {names}")


def check_scopes(function: Function) -> Iterator[CheckMessage]:
    for scope in sorted(function.scopes - SCOPES):
        yield fail(9, function, f"the scope {scope} is unknown")


def check_masks(function: Function) -> Iterator[CheckMessage]:
    try:
        schema = flatten_result(function.result)
    except (PydanticInvalidForJsonSchema, PydanticSchemaGenerationError):
        return
    for path in iter_unmasked(schema, "result"):
        yield fail(10, function, f"{path} may hold a personal value", "Use MaskedName, MaskedNumber or PublicName.")


def iter_unmasked(schema: Schema, path: str) -> Iterator[str]:
    for name, child in schema.get("properties", {}).items():
        at = f"{path}.{name}"
        leaf = child.get("items", {}) if child.get("type") == "array" else child
        if is_personal(name) and leaf.get("type") == "string" and not {"enum", MASK, HANDLE} & leaf.keys():
            yield at
        yield from iter_unmasked(leaf, at)


def is_personal(name: str) -> bool:
    """Whether a field of this name could hold a personal value; `…_untrusted` is cleaned by `ctx.untrusted`."""
    words = name.split("_")
    return words[-1] != "untrusted" and not PERSONAL.isdisjoint(words)


def check_offer(functions: Sequence[Function]) -> Iterator[CheckMessage]:
    count = len(functions)
    if count > MAX_OFFERED:
        yield Warning(
            f"{count} functions are offered at once, at most {MAX_OFFERED} are chosen well", id="functions.W001"
        )


def check_versions(functions: Iterable[Function], lock: Mapping[str, Locked]) -> Iterator[CheckMessage]:
    for name in list_unraised(functions, lock):
        text = f"{name}: what the model is told has changed, the version has not"
        yield Warning(text, hint="Raise the version, then `manage.py export_functions --write`.", id="functions.W002")
