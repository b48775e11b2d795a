"""Small functions of a registry of their own, for tests of what surrounds a function."""

from typing import Any, ClassVar

from django.db import connection
from pydantic import Field
from typing_extensions import override

from accounts.errors import GatewayUnavailable, InsufficientFunds
from accounts.models import Customer
from functions.arguments import Args
from functions.context import Ctx, ExecCtx
from functions.enums import HandleKind, Risk
from functions.errors import CallRefused, Code
from functions.fields import AccountHandle, Rubles, SearchText
from functions.plans import Executed, NothingToDo, Plan
from functions.registry import Registry
from functions.results import Result

COMMON: dict[str, Any] = {"version": 1, "scopes": {"accounts"}, "label": "Probing"}


class NoArguments(Args):
    """No parameters."""


class ProbeArguments(Args):
    account: AccountHandle = Field(description="Счёт")
    amount: Rubles | None = Field(default=None, description="Сумма")
    text: SearchText | None = Field(default=None, description="Слова")


class Told(Result):
    told: str = ""


class Rows(Result):
    ROWS = "rows"

    rows: list[str]


class ProbePlan(Plan):
    ACT: ClassVar[str] = "probe"

    minor: int = 100

    @override
    def build_terms(self) -> dict[str, str]:
        return {"amt": str(self.minor), "ccy": "RUB"}


class Probes:
    """The registry, and what its functions saw and do: `fault` is raised by `fail`."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.seen: list[Any] = []
        self.fault: Exception = CallRefused(Code.UNKNOWN_REFERENCE)
        declare_reads(self)
        declare_faulty_reads(self)
        declare_changes(self)


def declare_reads(probes: Probes) -> None:
    registry = probes.registry

    @registry.read("echo", **COMMON)
    def echo(ctx: Ctx, a: ProbeArguments) -> Told:
        probes.seen.append((ctx, a))
        return Told(told=a.account)

    @registry.read("hello", version=1, scopes={"public"}, label="Probing")
    def hello(_ctx: Ctx, _a: NoArguments) -> Told:
        return Told(told="hello")

    @registry.read("fail", **COMMON)
    def fail(_ctx: Ctx, _a: NoArguments) -> Told:
        raise probes.fault

    @registry.read("mint", **COMMON)
    def mint(ctx: Ctx, _a: NoArguments) -> Told:
        ctx.card("shown", value="for the app alone")
        return Told(told=ctx.handles.mint(HandleKind.ACCOUNT, "a-reference"))


def declare_faulty_reads(probes: Probes) -> None:
    registry = probes.registry

    @registry.read("write", **COMMON)
    def write(ctx: Ctx, _a: NoArguments) -> Told:
        Customer.objects.filter(pk=ctx.customer.pk).update(first_name="Written")
        return Told()

    @registry.read("sleep", **COMMON)
    def sleep(_ctx: Ctx, _a: NoArguments) -> Told:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        return Told()

    @registry.read("list_much", **COMMON)
    def list_much(_ctx: Ctx, _a: NoArguments) -> Rows:
        return Rows(rows=[f"{number:04}-{'x' * 300}" for number in range(40)])

    @registry.read("swell", **COMMON)
    def swell(_ctx: Ctx, _a: NoArguments) -> Told:
        return Told(told="x" * 5000)

    @registry.read("ask_outside", **COMMON)
    def ask_outside(ctx: Ctx, _a: NoArguments) -> Told:
        return Told(told=str(ctx.prepared))

    @ask_outside.prepare
    def prepare(_ctx: Ctx, _a: NoArguments) -> str:
        probes.seen.append(len(connection.savepoint_ids))
        if isinstance(probes.fault, GatewayUnavailable):
            raise probes.fault
        return "answered"


def declare_changes(probes: Probes) -> None:
    registry = probes.registry

    @registry.money("pay", version=3, scopes={"transfers:own"}, label="Paying", result=Told)
    def pay(_ctx: Ctx, a: ProbeArguments) -> ProbePlan:
        if a.text == "nothing":
            raise NothingToDo(Told(told="as it was"))
        if a.text == "poor":
            raise InsufficientFunds
        return ProbePlan(risk=Risk.LOW)

    @pay.execute
    def execute(_ctx: ExecCtx, plan: ProbePlan) -> Executed:
        return Executed(terms=plan.build_terms(), data=Told())

    @registry.action("rename", version=1, scopes={"actions"}, label="Renaming", is_immediate=True)
    def rename(ctx: ExecCtx, a: ProbeArguments) -> Told:
        Customer.objects.filter(pk=ctx.customer.pk).update(first_name="Renamed")
        if a.text == "fail":
            raise probes.fault
        return Told(told="renamed")
