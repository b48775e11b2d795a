"""The project's HTTP paths."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("chat.urls")),
]

# Failures outside the views are JSON below /api/ and Django's own pages elsewhere.
handler400 = "accounts.api.errors.answer_bad_request"
handler404 = "accounts.api.errors.answer_not_found"
handler500 = "accounts.api.errors.answer_server_error"
