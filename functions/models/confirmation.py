"""Confirmations: what the customer is asked, byte for byte, and what became of it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override
from uuid_utils.compat import uuid7

from accounts.models import Customer, Operation
from functions.enums import ConfirmationState, Risk
from functions.models.call import FunctionCall

MONEY_STATES = (ConfirmationState.EXECUTED, ConfirmationState.PROCESSING)
NO_MONEY_STATES = (
    ConfirmationState.PENDING,
    ConfirmationState.DECLINED,
    ConfirmationState.EXPIRED,
    ConfirmationState.SUPERSEDED,
    ConfirmationState.CANCELLED,
    ConfirmationState.COOLING_OFF,
    ConfirmationState.ASKED_AGAIN,
)


class Confirmation(models.Model):
    """One row: one question to the customer, answered at most once.

    What is executed is `plan` as it is stored here; `payload` is what the phone shows and signs.

    plan            JSON of the function's plan model
    payload         canonical JSON (RFC 8785), exactly the bytes that were shown; `digest` its SHA-256, base64url
    nonce           in the payload and unique, so that no answer fits two questions
    is_money        money moves only with an operation: see the constraints
    methods         how it may be approved, separated by spaces (`enums.ConfirmMethod`)
    needs_step_up   a fresh password is needed; needs_payee  the customer must type whom the money goes to
    provenance      closed codes of where payee, amount and memo came from
    bad_signatures  five end the confirmation
    decided_…       when it stopped waiting, and who decided with which key and signature
    code            closed code of a failure; "" otherwise
    outcome         processing: what the model will be told, JSON of the function's result; "" otherwise
    due_at          cooling_off: when it is asked again
    replaces        the confirmation whose terms changed, or whose time of cooling off is over

    Personal data: plan, payload and outcome (amounts, a masked name); kept as evidence as long as payments are.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    call = models.ForeignKey(
        FunctionCall, on_delete=models.PROTECT, related_name="confirmations", verbose_name=_("call")
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="confirmations", verbose_name=_("customer")
    )
    conversation_id = models.UUIDField(_("conversation"))
    turn_id = models.UUIDField(_("turn"))
    function = models.CharField(_("function"), max_length=64)
    version = models.PositiveSmallIntegerField(_("version"))
    is_money = models.BooleanField(_("moves money"))
    plan = models.JSONField(_("plan"))
    payload = models.BinaryField(_("payload"))
    digest = models.CharField(_("digest"), max_length=43)
    nonce = models.CharField(_("nonce"), max_length=22, unique=True)
    risk = models.PositiveSmallIntegerField(_("risk"), choices=Risk)
    methods = models.CharField(_("methods"), max_length=64)
    needs_step_up = models.BooleanField(_("needs a fresh password"), default=False)
    needs_payee = models.BooleanField(_("payee must be typed"), default=False)
    provenance = models.CharField(_("provenance"), max_length=200, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=ConfirmationState, default=ConfirmationState.PENDING)
    code = models.CharField(_("code"), max_length=32, blank=True)
    outcome = models.TextField(_("outcome"), blank=True)
    bad_signatures = models.PositiveSmallIntegerField(_("bad signatures"), default=0)
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"))
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_device = models.CharField(_("decided on"), max_length=64, blank=True)
    decided_kid = models.CharField(_("device key"), max_length=80, blank=True)
    signature = models.BinaryField(_("signature"), null=True)
    due_at = models.DateTimeField(_("asked again at"), null=True, blank=True)
    operation = models.OneToOneField(
        Operation, on_delete=models.PROTECT, null=True, blank=True, related_name="asked_as", verbose_name=_("operation")
    )
    replaces = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by", verbose_name=_("replaces")
    )

    class Meta:
        verbose_name = _("confirmation")
        verbose_name_plural = _("confirmations")
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="confirmation_by_time"),
            models.Index(fields=["customer", "-created_at", "-id"], name="confirmation_by_customer"),
            models.Index(fields=["turn_id"], name="confirmation_by_turn"),
            models.Index(
                fields=["expires_at"], condition=Q(state=ConfirmationState.PENDING), name="confirmation_still_pending"
            ),
            models.Index(
                fields=["created_at"],
                condition=Q(state__in=[ConfirmationState.PROCESSING, ConfirmationState.COOLING_OFF]),
                name="confirmation_unfinished",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation_id"],
                condition=Q(state=ConfirmationState.PENDING),
                name="one_pending_confirmation",
            ),
            models.CheckConstraint(condition=Q(state__in=ConfirmationState.values), name="confirmation_state_is_known"),
            models.CheckConstraint(
                condition=~Q(is_money=True, state__in=MONEY_STATES) | Q(operation__isnull=False),
                name="executed_money_has_an_operation",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=NO_MONEY_STATES) | Q(operation__isnull=True),
                name="unexecuted_confirmation_has_no_operation",
            ),
            models.CheckConstraint(
                condition=Q(state=ConfirmationState.COOLING_OFF, due_at__isnull=False)
                | ~Q(state=ConfirmationState.COOLING_OFF),
                name="cooling_off_has_an_end",
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.id)
