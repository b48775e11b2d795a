"""Customers' files: what is kept of them, which messages show them, and their copies at GigaChat."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override
from uuid_utils.compat import uuid7

from chat.enums import CopyState, FileKind, FileState
from chat.models.conversation import Message


class StoredFile(models.Model):
    """One row: one file of a customer, cleaned; its bytes lie encrypted in the storage named `files`, under its id.

    A file is deleted by its customer or by its age: the row stays, because messages speak of it, and the bytes go.

    Personal data: name; the bytes may hold anything. Kept until deleted, or FILE_RETENTION_DAYS.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey("accounts.Customer", on_delete=models.PROTECT, related_name="files")
    kind = models.CharField(max_length=16, choices=FileKind)
    media_type = models.CharField(max_length=100)
    name = models.CharField(max_length=100, help_text=_("As the customer's device called it, made fit to be shown."))
    size_bytes = models.PositiveIntegerField(help_text=_("Length of the cleaned content, not encrypted."))
    sha256 = models.CharField(max_length=64, help_text=_("SHA-256 of the cleaned content, hexadecimal."))
    state = models.CharField(max_length=16, choices=FileState, default=FileState.STORED)
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")
        indexes = [
            # The hourly limit.
            models.Index(fields=["customer", "-created_at"], name="file_by_customer"),
            # The sweeper's work; erased rows, the bulk after years, are not in it.
            models.Index(
                fields=["state", "created_at"],
                condition=models.Q(state__in=[FileState.STORED, FileState.DELETED]),
                name="file_not_erased",
            ),
            # The admin's list.
            models.Index(fields=["-created_at", "-id"], name="file_by_time"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state=FileState.STORED) ^ models.Q(deleted_at__isnull=False),
                name="file_deleted_at_matches_state",
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.id)


class MessageFile(models.Model):
    """One row: a file shown with a message, at its place from 0.

    Personal data: none.
    """

    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="attached")
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="uses")
    position = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = _("attached file")
        verbose_name_plural = _("attached files")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["message", "position"], name="one_file_per_place"),
            models.UniqueConstraint(fields=["message", "file"], name="file_once_per_message"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.message_id}:{self.position}"


class GigaChatFile(models.Model):
    """One row: one copy of a file at GigaChat, or the attempt to make one.

    Written before the bytes are sent, so that a copy whose id was never heard is still looked for. `provider_id` is
    null until GigaChat named it. The copy is usable while it is `uploaded` and not past `expires_at`.

    Personal data: none (`client_id` is a keyed pseudonym of the customer).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="copies")
    client_id = models.CharField(max_length=64)
    provider_id = models.CharField(max_length=128, null=True, blank=True)  # noqa: DJ001 - unknown is not empty
    state = models.CharField(max_length=16, choices=CopyState, default=CopyState.SENDING)
    uploaded_at = models.DateTimeField(help_text=_("When the upload began."))
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("copy at GigaChat")
        verbose_name_plural = _("copies at GigaChat")
        indexes = [
            # Only what still exists there: a day's worth.
            models.Index(
                fields=["expires_at"],
                condition=models.Q(state__in=[CopyState.SENDING, CopyState.UPLOADED]),
                name="copy_alive",
            ),
            models.Index(fields=["-uploaded_at", "-id"], name="copy_by_time"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["provider_id"], name="one_copy_per_provider_id"),
            models.CheckConstraint(
                condition=~models.Q(state=CopyState.UPLOADED) | models.Q(provider_id__isnull=False),
                name="uploaded_copy_has_a_name",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[CopyState.SENDING, CopyState.UPLOADED])
                ^ models.Q(ended_at__isnull=False),
                name="copy_ended_at_matches_state",
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.id)
