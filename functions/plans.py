"""What a function proposes and the customer confirms. What is executed is the stored plan, never the model's words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from accounts.models import Operation
from functions.enums import Risk
from functions.results import Result


class Plan(BaseModel):
    """Base of every plan: JSON in the confirmation's row, the same values back at execution.

    ACT       the payload's `act`: a short closed word, "transfer_own"
    risk      decides how the customer must say yes
    warnings  closed codes that the phone words and shows beside the terms
    origins   closed codes of where payee, amount and memo came from, for the record
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    ACT: ClassVar[str] = ""

    risk: Risk
    warnings: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    needs_payee: bool = False
    payee_digest: str = ""

    def build_terms(self) -> dict[str, str]:
        """Return what the customer is asked, as the payload's own fields; text only, minor units for amounts.

        Known keys: from, from_name, to, to_name, bank, amt, ccy, fee, memo, card, limit, old, reason, bill, period,
        format. Everything that must not change between question and execution is here.
        """
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """What an execution did, inside the transaction that is still open.

    terms      the plan's terms as they really were (a fee may have changed): other terms roll everything back
    data       the result's data for the model
    receipt    what the server signs for the phone, beside `confirm`, `op` and `status`
    operation  None for acts without money; PENDING when a gateway must still be asked
    plan       what would have to be asked now, when `terms` are other than the customer saw
    """

    terms: Mapping[str, str]
    data: Result
    receipt: Mapping[str, str] = field(default_factory=dict)
    operation: Operation | None = None
    plan: Plan | None = None


class NothingToDo(Exception):
    """Raised by a plan when everything is as it was asked for: the call is answered at once, nobody is asked.

    result  of the function's result model
    """

    def __init__(self, result: BaseModel) -> None:
        super().__init__()
        self.result = result
