"""What the registry knows of one function. Plain data: it calls nothing and imports no models' provider."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from functions.enums import FunctionClass

DEFAULT_RESULT_BYTES = 4 * 1024
MAX_RESULT_BYTES = 16 * 1024

Handler = Callable[[Any, Any], Any]
Example = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function the model may call.

    version       raised whenever what the model is told changes: see `checks.W002`
    scopes        all of them are needed; none: everybody may call it
    label         what the phone shows while it runs; a lazy translation
    description   Russian, for the model: the handler's docstring on one line
    args          the model of its parameters; None when the handler does not say, which is a start-up error
    result        what the model gets; None likewise
    plan          what the customer confirms; None for reads and immediate actions
    handler       `(ctx, args)`: the read, the plan, or the immediate action itself
    executor      `(ctx, plan)`: carries a confirmed plan out, in the transaction of the decision
    preparation   `(ctx, args)`: asks an outside system before the transaction begins; what it returns is `ctx.prepared`
    result_bytes  what a result may take
    is_immediate  an action without a question to the customer, in the recording transaction
    schema_hash   16 hexadecimal digits over everything the model is told
    """

    name: str
    kind: FunctionClass
    version: int
    scopes: frozenset[str]
    label: Any
    description: str
    args: type[BaseModel] | None
    result: type[BaseModel] | None
    plan: type[BaseModel] | None
    examples: tuple[Example, ...]
    handler: Handler
    executor: Handler | None = None
    preparation: Handler | None = None
    result_bytes: int = DEFAULT_RESULT_BYTES
    is_immediate: bool = False
    schema_hash: str = ""

    @property
    def is_money(self) -> bool:
        return self.kind == FunctionClass.MONEY

    @property
    def asks_customer(self) -> bool:
        """Whether it only proposes, and the customer decides."""
        return self.kind != FunctionClass.READ and not self.is_immediate
