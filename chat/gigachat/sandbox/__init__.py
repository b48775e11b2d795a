"""A local GigaChat over real TLS: what `make run` and the tests talk to while there are no credentials.

An honest counterpart: it shares no code with our client, knows nothing of Django, and production never imports it.
`python -m chat.gigachat.sandbox` runs it alone; `docs/sandbox.md` tells what it imitates and on what evidence.
"""

from chat.gigachat.sandbox.server import Sandbox
from chat.gigachat.sandbox.settings import Account, Contour, HostProfile, SandboxSettings, ServerCertificate

__all__ = ["Account", "Contour", "HostProfile", "Sandbox", "SandboxSettings", "ServerCertificate"]
