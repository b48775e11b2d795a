"""Turns (a question and its answer) and runs (attempts to answer)."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override
from uuid_utils.compat import uuid7

from chat.enums import BEGUN_TURN_STATES, FINAL_TURN_STATES, UNFINISHED_TURN_STATES, RunState, TurnState
from chat.models.conversation import Conversation


class Turn(models.Model):
    """One row: one message of the customer and everything until its final answer.

    A queued turn is work for any engine; the claim sets `lease_owner`, `lease_until` and the conversation's next
    `fence`. At most one turn of a conversation runs or waits for the customer's decision at a time; while it waits,
    nobody holds a lease of it. A final state never changes.

    session_id  of the device that asked: what functions may do is decided by it; null for what staff or tests wrote
    resumed_at  when the last decision put the turn back in the queue

    Personal data: none (ids, states and times).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="turns")
    mid = models.UUIDField(help_text=_("The phone's own id of the message; makes sending twice harmless."))
    fingerprint = models.CharField(max_length=64, help_text=_("SHA-256 of the submitted content."))
    question_id = models.UUIDField(default=uuid7, help_text=_("Id of the customer's message."))
    answer_id = models.UUIDField(default=uuid7, help_text=_("Id the assistant's message has or will have."))
    device_id = models.CharField(max_length=64, blank=True)
    session_id = models.UUIDField(null=True, blank=True)
    state = models.CharField(max_length=16, choices=TurnState, default=TurnState.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    fence = models.BigIntegerField(null=True, blank=True)
    lease_owner = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField()
    accepted_seq = models.BigIntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    resumed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    finish_reason = models.CharField(max_length=32, blank=True)
    error_code = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("turn")
        verbose_name_plural = _("turns")
        indexes = [
            # The engine's queue and the wake-up poll: only unfinished turns, a handful of rows.
            models.Index(
                fields=["accepted_at", "id"],
                condition=models.Q(state__in=UNFINISHED_TURN_STATES),
                name="turn_unfinished",
            ),
            models.Index(fields=["conversation", "-accepted_at"], name="turn_by_conversation"),
            # The wake-up poll sees turns that ended a moment ago.
            models.Index(fields=["finished_at"], name="turn_by_finish"),
            # The admin's list.
            models.Index(fields=["-accepted_at", "-id"], name="turn_by_time"),
            models.Index(fields=["state", "-accepted_at"], name="turn_by_state"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "mid"], name="one_turn_per_client_message"),
            models.UniqueConstraint(
                fields=["conversation"],
                condition=models.Q(state__in=BEGUN_TURN_STATES),
                name="one_begun_turn_per_conversation",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=sorted(FINAL_TURN_STATES)) ^ models.Q(finished_at__isnull=True),
                name="turn_finished_at_matches_state",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=TurnState.RUNNING)
                | models.Q(lease_until__isnull=False, fence__isnull=False, attempt__gte=1),
                name="running_turn_has_a_lease",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=TurnState.AWAITING_CONFIRM)
                | models.Q(lease_until__isnull=True, lease_owner="", attempt__gte=1),
                name="waiting_turn_has_no_lease",
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.id)


class Run(models.Model):
    """One row: one attempt of an engine to answer a turn, with what was asked of the model and what it cost.

    Personal data: none (sizes, digests and counters; never text).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    turn = models.ForeignKey(Turn, on_delete=models.PROTECT, related_name="runs")
    attempt = models.PositiveSmallIntegerField()
    engine = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=RunState, default=RunState.RUNNING)
    model = models.CharField(max_length=64)
    prompt_messages = models.PositiveIntegerField(default=0)
    prompt_bytes = models.PositiveIntegerField(default=0)
    prompt_digest = models.CharField(max_length=22, blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True, blank=True)
    completion_tokens = models.PositiveIntegerField(null=True, blank=True)
    cached_tokens = models.PositiveIntegerField(null=True, blank=True)
    upstream_request_id = models.CharField(max_length=128, blank=True)
    finish_reason = models.CharField(max_length=32, blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField()
    first_delta_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        indexes = [models.Index(fields=["-started_at", "-id"], name="run_by_time")]
        constraints = [
            models.UniqueConstraint(fields=["turn", "attempt"], name="one_run_per_attempt"),
            models.UniqueConstraint(
                fields=["turn"], condition=models.Q(state=RunState.RUNNING), name="one_running_run_per_turn"
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.id)
