"""What is wrong between us and GigaChat: the way to an answer, step by step, each with its time and its cure.

Used by `manage.py gigachat_check`. Nothing is repeated and no breaker interferes: the doctor wants to see the fault.
"""

import asyncio
import datetime as dt
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

from chat.gigachat.advice import find_advice
from chat.gigachat.auth import OAuth, StaticToken
from chat.gigachat.client import GigaChatClient
from chat.gigachat.errors import AccessDenied, GigaChatError, ModelUnknown
from chat.gigachat.oauth import TokenService, fetch_token
from chat.gigachat.options import ClientOptions
from chat.gigachat.rest import RestClient
from chat.gigachat.rest_types import CHAT_KIND
from chat.gigachat.tls import get_ssl_context, load_authority
from chat.gigachat.types import Finished, Prompt, PromptMessage, PromptRole, StreamPart

CLIENT_ID = "gigachat-check"

T = TypeVar("T")


class Step(StrEnum):
    """In the order of the way."""

    SETTINGS = "settings"
    CERTIFICATE = "certificate"
    TOKEN = "token"  # noqa: S105 - the name of a step
    MODELS = "models"
    MODEL = "model"
    VISION_MODEL = "vision_model"
    BALANCE = "balance"
    COMPLETION = "completion"


class Verdict(StrEnum):
    """NOTE: not as expected, and no fault. SKIPPED: pointless after an earlier failure."""

    OK = "ok"
    NOTE = "note"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How one step went.

    detail  what was seen: counts, names of models, times, closed codes; nothing secret
    advice  what an operator does about it; empty unless FAILED
    """

    step: Step
    verdict: Verdict
    duration_ms: int = 0
    detail: str = ""
    advice: str = ""


Seen = tuple[Verdict, str]


@dataclass(slots=True)
class Examination:
    """One run of the doctor; `build` makes the options, so that wrong settings are a finding too.

    model, vision_model   as configured; the tiny answer is asked of `model`
    """

    build: Callable[[], ClientOptions]
    model: str
    vision_model: str
    _options: ClientOptions | None = field(default=None, init=False)
    _chat_models: tuple[str, ...] = field(default=(), init=False)

    def run(self) -> Iterator[Finding]:
        """Yield a finding per step as it ends."""
        steps: dict[Step, Callable[[], Seen]] = {
            Step.SETTINGS: self._check_settings,
            Step.CERTIFICATE: self._check_certificate,
            Step.TOKEN: self._check_token,
            Step.MODELS: self._check_models,
            Step.MODEL: lambda: self._check_listing(self.model),
            Step.VISION_MODEL: lambda: self._check_listing(self.vision_model),
            Step.BALANCE: self._check_balance,
            Step.COMPLETION: self._check_completion,
        }
        pointless: set[Step] = set()
        for step, check in steps.items():
            finding = Finding(step=step, verdict=Verdict.SKIPPED) if step in pointless else examine(step, check)
            if finding.verdict is Verdict.FAILED:
                pointless |= list_pointless(step)
            yield finding

    @property
    def options(self) -> ClientOptions:
        if self._options is None:
            raise RuntimeError("the settings are checked first")
        return self._options

    def _check_settings(self) -> Seen:
        self._options = replace(self.build(), retries=0, breaker_limits=None)
        auth = self._options.auth
        kind = "oauth" if isinstance(auth, OAuth) else "token" if isinstance(auth, StaticToken) else "mtls"
        proxy = " through the proxy" if self._options.proxy is not None else ""
        return Verdict.OK, f"{self._options.base_url}, {kind}{proxy}"

    def _check_certificate(self) -> Seen:
        options = self.options
        root = load_authority(options.ca_file, options.ca_sha256)
        get_ssl_context(options.ca_file, options.ca_sha256, options.client_certificate)
        days = (root.not_valid_after_utc - dt.datetime.now(dt.UTC)).days
        ours = "" if options.client_certificate is None else "; our certificate is readable"
        return Verdict.OK, f"the pinned root ends in {days} days{ours}"

    def _check_token(self) -> Seen:
        options = self.options
        auth = options.auth
        if not isinstance(auth, OAuth):
            return Verdict.NOTE, "no token service: " + (
                "a fixed token" if isinstance(auth, StaticToken) else "the certificate says who we are"
            )
        context = get_ssl_context(options.ca_file, options.ca_sha256, options.client_certificate)
        # A fresh one, past the shared cache: a token that still lives would hide credentials that no longer do.
        service = TokenService(url=auth.auth_url, ssl_context=context, proxy=options.proxy)
        token = fetch_token(auth.credentials, service, now=time.time())
        return Verdict.OK, f"valid for {token.expires_at - token.issued_at:.0f} s"

    def _check_models(self) -> Seen:
        models = self._ask(RestClient.list_models)
        self._chat_models = tuple(info.name for info in models if info.kind == CHAT_KIND)
        return Verdict.OK, f"{len(models)} models; for chat: {', '.join(self._chat_models) or 'none'}"

    def _check_listing(self, model: str) -> Seen:
        if model not in self._chat_models:
            raise ModelUnknown
        return Verdict.OK, model

    def _check_balance(self) -> Seen:
        try:
            packages = self._ask(RestClient.get_balance)
        except AccessDenied:
            return Verdict.NOTE, "no packages: an account that pays as it goes has no balance"
        left = ", ".join(f"{package.model} {package.tokens}" for package in packages)
        return Verdict.OK, f"tokens left: {left or 'none'}"

    def _check_completion(self) -> Seen:
        return Verdict.OK, asyncio.run(complete_once(self.options, self.model))

    def _ask(self, act: Callable[[RestClient], T]) -> T:
        client = RestClient(self.options)
        try:
            return act(client)
        finally:
            client.close()


def examine(step: Step, check: Callable[[], Seen]) -> Finding:
    started_at = time.monotonic()
    verdict, detail, advice = Verdict.FAILED, "", ""
    try:
        verdict, detail = check()
    except GigaChatError as error:
        detail, advice = str(error), find_advice(error)
    duration_ms = round((time.monotonic() - started_at) * 1000)
    return Finding(step=step, verdict=verdict, duration_ms=duration_ms, detail=detail, advice=advice)


def list_pointless(step: Step) -> set[Step]:
    """Return the steps that say nothing new after this one failed."""
    if step is Step.MODEL:
        return {Step.COMPLETION}
    return set() if step in {Step.VISION_MODEL, Step.BALANCE} else set(Step)


async def complete_once(options: ClientOptions, model: str) -> str:
    """Stream one tiny answer and tell how it went, not what it said."""
    client = GigaChatClient(options)
    started_at = time.monotonic()
    first_ms: int | None = None
    last: StreamPart | None = None
    prompt = Prompt(
        model=model,
        messages=(PromptMessage(role=PromptRole.USER, content="Ответь одним словом: да"),),
        session_id=CLIENT_ID,
        client_id=CLIENT_ID,
        request_id=str(uuid.uuid4()),
        max_tokens=16,
    )
    try:
        async with client.stream(prompt) as stream:
            async for parts in stream:
                first_ms = round((time.monotonic() - started_at) * 1000) if first_ms is None else first_ms
                last = parts[-1]
        usage = last.usage if isinstance(last, Finished) else None
        tokens = "unknown" if usage is None else f"{usage.total_tokens}"
        return f"first text after {first_ms} ms, {tokens} tokens, request {stream.request_id}"
    finally:
        await client.aclose()
