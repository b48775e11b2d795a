"""The project's HTTP paths."""

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from assistant_project.health import show_live, show_ready
from assistant_project.metrics import show_metrics
from chat.views import show_phone

urlpatterns = [
    path("livez", show_live, name="livez"),
    path("metrics", show_metrics, name="metrics"),
    path("readyz", show_ready, name="readyz"),
    path("admin/", admin.site.urls),
    path("", show_phone, name="phone"),
    path("language", set_language, name="set_language"),
    path("", include("chat.urls")),
]

# Failures outside the views are JSON below /api/ and Django's own pages elsewhere.
handler400 = "accounts.api.errors.answer_bad_request"
handler404 = "accounts.api.errors.answer_not_found"
handler500 = "accounts.api.errors.answer_server_error"
