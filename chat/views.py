"""The phone page: a web page that acts as the bank's mobile app.

It holds no customer data: everything arrives over the same REST API and WebSocket that phones use.
"""

from pathlib import Path

from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chat.phone_strings import STRINGS

SCRIPTS_DIR = Path(__file__).resolve().parent / "static" / "chat" / "phone"
# Named in the page, so that a slow network fetches all modules at once instead of level by level of their imports.
MODULES = tuple(f"chat/phone/{path.name}" for path in sorted(SCRIPTS_DIR.glob("*.js")))


# Pictures of messages are fetched with the customer's token and shown from memory, which `blob:` addresses name.
@csp_update({"img-src": ["blob:"]})
@never_cache
@require_safe
def show_phone(request: HttpRequest) -> HttpResponse:
    """Return the page in the language of the cookie that the switch sets, else of the browser."""
    context = {
        "strings": {key: str(text) for key, text in STRINGS.items()},
        "modules": MODULES,
        "is_sandbox": settings.GIGACHAT_SANDBOX,
    }
    return render(request, "chat/phone.html", context)
