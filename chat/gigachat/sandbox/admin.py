"""Routes that exist only in the sandbox: fault switches and statistics. They need no token."""

from aiohttp import web
from pydantic import ValidationError

from chat.gigachat.sandbox.encoding import encode_json
from chat.gigachat.sandbox.faults import FaultError, parse_faults
from chat.gigachat.sandbox.refusal import REFUSALS
from chat.gigachat.sandbox.schema import StrictModel
from chat.gigachat.sandbox.state import STATE

ADMIN_PREFIX = "/sandbox/"


class FaultOrder(StrictModel):
    """Body of `POST /sandbox/faults`, for example `{"faults": "429=7", "count": 3}`."""

    faults: str
    path: str = ""
    count: int | None = None
    seconds: float | None = None


async def add_faults(request: web.Request) -> web.Response:
    try:
        order = FaultOrder.model_validate_json(await request.read())
        wanted = parse_faults(order.faults)
        refusals = request.app[REFUSALS]
        for name in ("refuse", "oauth_refuse"):
            if name in wanted:
                await refusals.start(name, wanted.pop(name))
        rest = ",".join(f"{name}={value}" for name, value in wanted.items())
        request.app[STATE].faults.add(rest, path=order.path, count=order.count, seconds=order.seconds)
    except (ValidationError, FaultError) as error:
        text = str(error) if isinstance(error, FaultError) else "wrong body"
        return _build_answer({"status": 400, "message": text}, status=400)
    return await list_faults(request)


async def list_faults(request: web.Request) -> web.Response:
    return _build_answer({"faults": request.app[STATE].faults.to_json()})


async def clear_faults(request: web.Request) -> web.Response:
    request.app[STATE].faults.clear()
    return await list_faults(request)


async def revoke_tokens(request: web.Request) -> web.Response:
    """Make every token issued so far unknown, as a restart of the service would."""
    request.app[STATE].tokens.revoke_all()
    return _build_answer({"revoked": True})


async def show_stats(request: web.Request) -> web.Response:
    return _build_answer(request.app[STATE].stats.to_json())


def _build_answer(value: object, *, status: int = 200) -> web.Response:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return web.Response(status=status, body=encode_json(value), headers=headers)


ROUTES = (
    web.post("/sandbox/faults", add_faults),
    web.get("/sandbox/faults", list_faults),
    web.delete("/sandbox/faults", clear_faults),
    web.post("/sandbox/revoke", revoke_tokens),
)
STATS_ROUTE = web.get("/sandbox/stats", show_stats)
