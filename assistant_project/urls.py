"""The project's HTTP paths."""

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from chat.views import show_phone

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", show_phone, name="phone"),
    path("language", set_language, name="set_language"),
    path("", include("chat.urls")),
]

# Failures outside the views are JSON below /api/ and Django's own pages elsewhere.
handler400 = "accounts.api.errors.answer_bad_request"
handler404 = "accounts.api.errors.answer_not_found"
handler500 = "accounts.api.errors.answer_server_error"
