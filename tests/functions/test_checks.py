from collections.abc import Callable
from datetime import timedelta
from enum import IntEnum, StrEnum
from typing import Any, ClassVar

import pytest
from django.core.checks import registry as django_checks
from django.core.exceptions import ImproperlyConfigured
from pydantic import BaseModel

from chat.gigachat.validation import BUILT_IN_NAMES
from functions.arguments import Args
from functions.checks import PROVIDER_NAMES, check_function, check_functions, check_registry
from functions.context import Ctx
from functions.enums import Risk
from functions.fields import AccountHandle, MaskedName, MaskedNumber, PublicName
from functions.plans import Executed, Plan
from functions.registry import Registry, list_functions
from functions.results import MoneyView, Result
from functions.versions import Locked, list_unraised, read_lock, render_lock

GOOD = "Показывает что-нибудь полезное для проверки самих проверок."


class Nothing(Args):
    pass


class Told(Result):
    told: str = ""


class GoodPlan(Plan):
    ACT: ClassVar[str] = "good"


def build(
    handler: Callable[..., Any],
    *,
    name: str = "good_name",
    kind: str = "read",
    registry: Registry | None = None,
    **facts: Any,
) -> Registry:
    registry = registry or Registry()
    handler.__doc__ = facts.pop("doc", GOOD)
    given = {"version": 1, "scopes": {"accounts"}, "label": "", **facts}
    getattr(registry, kind)(name, **given)(handler)
    return registry


def read_ids(registry: Registry) -> list[str]:
    return [str(message.id).removeprefix("functions.") for message in check_registry(registry, {})]


def read_nothing(ctx: Ctx, a: Nothing) -> Told: ...  # type: ignore[empty-body]


def plan_nothing(ctx: Ctx, a: Nothing) -> GoodPlan: ...  # type: ignore[empty-body]


plan_nothing.__doc__ = GOOD


def build_reader(args: type[BaseModel], result: type[BaseModel] = Told) -> Callable[..., Any]:
    def handler(ctx: Any, a: Any) -> Any: ...

    handler.__annotations__ = {"ctx": Ctx, "a": args, "return": result}
    return handler


def make_args(**fields: Any) -> type[BaseModel]:
    return type("Made", (Args,), {"__annotations__": fields, "__module__": __name__})


def make_result(**fields: Any) -> type[BaseModel]:
    return type("Made", (Result,), {"__annotations__": fields, "__module__": __name__})


def test_good_function_passes() -> None:
    assert read_ids(build(read_nothing)) == []


def test_registered_functions_pass_and_django_runs_the_check() -> None:
    assert check_functions() == []
    known: list[Any] = list(django_checks.registry.get_checks())
    assert check_functions in known
    assert len(list_functions()) == 18


@pytest.mark.parametrize("doc", ["", None, "Слишком короткое описание"])
def test_missing_description_trips_e001(doc: str | None) -> None:
    assert read_ids(build(read_nothing, doc=doc)) == ["E001"]


class Colour(IntEnum):
    RED = 1


class Inner(Args):
    name: str


class Tree(Args):
    children: "list[Tree]"


@pytest.mark.parametrize(
    "kind",
    [
        str | int,
        int | None,
        Inner | None,
        dict[str, str],
        dict[str, Any],
        Any,
        Colour,
        Tree,
        list[int | str],
        list[Colour],
        timedelta,
        None,
        object,
        Callable[[], None],
    ],
    ids=str,
)
def test_type_that_gigachat_cannot_carry_trips_e002(kind: Any) -> None:
    fields = {"value": kind}
    model = make_args(**fields)
    if kind == Inner | None:
        model = type("Made", (Args,), {"__annotations__": fields, "__module__": __name__, "value": None})
    assert "E002" in read_ids(build(build_reader(model)))


class Word(StrEnum):
    ONE = "one"


def test_types_that_gigachat_carries_pass() -> None:
    annotations = {"word": Word, "words": list[Word], "inner": Inner, "many": list[Inner], "some": str | None}
    model = type("Made", (Args,), {"__annotations__": annotations, "__module__": __name__, "some": None})
    assert read_ids(build(build_reader(model))) == []


def test_parameters_that_are_no_model_trip_e002() -> None:
    def untyped(ctx: Any, a: Any) -> Told: ...  # type: ignore[empty-body]

    def foreign(ctx: Ctx, a: GoodPlan) -> Told: ...  # type: ignore[empty-body]

    assert read_ids(build(untyped)) == ["E002"]
    assert "E002" in read_ids(build(foreign))


def test_ninth_parameter_trips_e003() -> None:
    eight = {f"value_{number}": str for number in range(8)}
    assert read_ids(build(build_reader(make_args(**eight)))) == []
    assert read_ids(build(build_reader(make_args(**eight, ninth=str)))) == ["E003"]


@pytest.mark.parametrize("name", ["customer", "user_name", "client", "owner", "session", "phone", "account_id", "id"])
def test_parameter_that_names_an_identity_trips_e004(name: str) -> None:
    assert read_ids(build(build_reader(make_args(**{name: str})))) == ["E004"]


def test_handle_may_be_called_an_id() -> None:
    assert read_ids(build(build_reader(make_args(account_id=AccountHandle)))) == []


def test_change_without_plan_and_execution_trips_e005() -> None:
    no_plan = build(read_nothing, kind="money", result=Told, scopes={"transfers:own"})
    assert read_ids(no_plan) == ["E005", "E005"]
    no_execution = build(plan_nothing, kind="action", result=Told, scopes={"actions"})
    assert read_ids(no_execution) == ["E005"]


def test_change_with_both_steps_passes() -> None:
    registry = Registry()
    declared = registry.money("pay_it", version=1, scopes={"transfers:own"}, label="", result=Told)(plan_nothing)

    @declared.execute
    def execute(_ctx: Ctx, plan: GoodPlan) -> Executed:
        return Executed(terms=plan.build_terms(), data=Told())

    assert read_ids(registry) == []
    assert declared.name == "pay_it"


def test_read_that_plans_or_executes_trips_e005() -> None:
    assert {"E005", "E006"} <= set(read_ids(build(plan_nothing)))
    registry = build(read_nothing)
    registry.amend("good_name", executor=read_nothing)
    assert read_ids(registry) == ["E005"]


def test_result_that_is_no_result_model_trips_e006() -> None:
    def plain(ctx: Ctx, a: Nothing) -> dict[str, str]: ...  # type: ignore[empty-body]

    assert read_ids(build(plain)) == ["E006"]
    assert read_ids(build(build_reader(Nothing, Tree))) == ["E002", "E006"]
    assert "E006" in read_ids(build(plan_nothing, kind="action", scopes={"actions"}))


@pytest.mark.parametrize("name", ["ab", "Good", "1abc", "good-name", "a" * 65, "имя", "text2image", "web_search"])
def test_name_that_is_not_allowed_trips_e007(name: str) -> None:
    assert read_ids(build(read_nothing, name=name)) == ["E007"]


def test_names_of_the_provider_are_those_its_client_knows() -> None:
    assert PROVIDER_NAMES == BUILT_IN_NAMES


def test_two_functions_of_one_name_end_the_start() -> None:
    with pytest.raises(ImproperlyConfigured, match="good_name"):
        build(read_nothing, registry=build(read_nothing))


@pytest.mark.parametrize("arguments", [{"unknown": 1}, {"account": 5}, {}])
def test_example_that_is_not_valid_trips_e008(arguments: dict[str, Any]) -> None:
    reader = build_reader(make_args(account=AccountHandle))
    assert read_ids(build(reader, examples=[("покажи", {"account": "acc_1"}), ("покажи", arguments)])) == ["E008"]


def test_unknown_scope_trips_e009() -> None:
    assert read_ids(build(read_nothing, scopes={"accounts", "everything"})) == ["E009"]


class Nested(Result):
    phones: list[str]
    full_name: str


@pytest.mark.parametrize(
    ("fields", "paths"),
    [
        ({"phone": str}, ["result.phone"]),
        ({"account_number": str}, ["result.account_number"]),
        ({"pan": str}, ["result.pan"]),
        ({"name": str}, ["result.name"]),
        ({"rows": list[Nested]}, ["result.rows.full_name"]),
    ],
)
def test_personal_value_without_a_mask_trips_e010(fields: dict[str, Any], paths: list[str]) -> None:
    registry = build(build_reader(Nothing, make_result(**fields)))
    found = [message for message in check_registry(registry, {}) if message.id == "functions.E010"]
    assert [str(message.msg).split()[1] for message in found] == paths


def test_masked_values_pass() -> None:
    result = make_result(
        name=MaskedName,
        card_number=MaskedNumber,
        bank_name=PublicName,
        name_untrusted=str,
        amount=MoneyView,
        number=Word,
    )
    assert read_ids(build(build_reader(Nothing, result))) == []


def test_twenty_first_function_trips_w001() -> None:
    registry = Registry()
    for number in range(20):
        build(read_nothing, name=f"function_{number}", registry=registry)
    assert read_ids(registry) == []
    assert read_ids(build(read_nothing, registry=registry)) == ["W001"]


def take_hash(registry: Registry) -> str:
    (function,) = registry.list_functions()
    return function.schema_hash


def test_other_schema_under_the_same_version_trips_w002() -> None:
    before = {"good_name": Locked(1, take_hash(build(read_nothing)))}
    changed = build(read_nothing, doc=GOOD + " И ещё.")
    assert [message.id for message in check_registry(changed, before)] == ["functions.W002"]
    raised = build(read_nothing, doc=GOOD + " И ещё.", version=2)
    assert check_registry(raised, before) == []
    assert list_unraised(raised.list_functions(), {"good_name": Locked(3, "0" * 16)}) == ["good_name"]


@pytest.mark.parametrize(
    "changes",
    [
        {"doc": GOOD + "!"},
        {"scopes": {"cards"}},
        {"examples": [("покажи", {})]},
        {"handler": build_reader(make_args(some=AccountHandle))},
        {"handler": build_reader(Nothing, make_result(told=str, more=str))},
    ],
)
def test_schema_hash_covers_all_that_the_model_is_told(changes: dict[str, Any]) -> None:
    facts = dict(changes)
    assert take_hash(build(facts.pop("handler", read_nothing), **facts)) != take_hash(build(read_nothing))


def test_lock_is_read_as_it_was_written(tmp_path: Any) -> None:
    path = tmp_path / "versions.json"
    assert read_lock(path) == {}
    registry = build(read_nothing, version=4)
    path.write_text(render_lock(registry.list_functions()))
    assert read_lock(path) == {"good_name": Locked(4, take_hash(registry))}


def test_several_faults_are_all_told(capsys: pytest.CaptureFixture[str]) -> None:
    registry = build(read_nothing, name="Bad", doc="", scopes={"everything"})
    assert read_ids(registry) == ["E001", "E007", "E009"]
    (function,) = registry.list_functions()
    assert all("Bad" in str(message.msg) for message in check_function(function))


def test_risk_of_a_plan_is_stored_as_a_number() -> None:
    assert GoodPlan(risk=Risk.LOW).model_dump(mode="json")["risk"] == 1
