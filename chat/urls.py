"""The REST API's paths: everything below /api/."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from accounts.api.endpoint import UnknownPath
from accounts.api.schema import DocsView, SchemaView
from chat.api.closing import CloseView
from chat.api.commands import CommandView
from chat.api.files import FileContentView, FileListView, FileView
from chat.api.views import ConversationListView, ConversationView, EventListView, MessageListView
from functions.api import KeySetView

# Any text may stand for an id: a misspelt one is refused like a foreign one, by the view.
ONE = "conversations/<str:conversation_id>"
ONE_FILE = "files/<str:file_id>"

version_1: list[URLPattern | URLResolver] = [
    path("", include("accounts.api.urls")),
    path("conversations", ConversationListView.as_view(), name="conversations"),
    path(ONE, ConversationView.as_view(), name="conversation"),
    path(f"{ONE}/messages", MessageListView.as_view(), name="messages"),
    path(f"{ONE}/events", EventListView.as_view(), name="events"),
    path(f"{ONE}/close", CloseView.as_view(), name="close"),
    path(f"{ONE}/commands", CommandView.as_view(), name="commands"),
    path("files", FileListView.as_view(), name="files"),
    path(ONE_FILE, FileView.as_view(), name="file"),
    path(f"{ONE_FILE}/content", FileContentView.as_view(), name="file_content"),
    path("keys", KeySetView.as_view(), name="keys"),
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", DocsView.as_view(url_name="schema"), name="docs"),
]

urlpatterns = [
    path("api/v1/", include(version_1)),
    re_path(r"^api(/|$)", UnknownPath.as_view()),
]
