"""Short blocking calls to GigaChat: models, token counts, balance, files, definitions. For threads, never for a loop.

One `RestClient` per process. Answers that stream, and those that take a model's time, are `client`.
"""

import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson
import requests

from chat.gigachat.breaker import UNTROUBLED
from chat.gigachat.call_record import RestRecord
from chat.gigachat.configuration import build_options
from chat.gigachat.encoding import to_json_function, to_plain
from chat.gigachat.errors import (
    AnswerMalformed,
    FileFormatRefused,
    FileTooLarge,
    FileUnknown,
    GatewayFailed,
    GigaChatError,
    ModelUnknown,
    TokenRefused,
)
from chat.gigachat.headers import build_headers, read_request_id
from chat.gigachat.link import build_link
from chat.gigachat.mapping import decode_json
from chat.gigachat.options import ClientOptions
from chat.gigachat.rest_mapping import (
    parse_balance,
    parse_counts,
    parse_deletion,
    parse_file,
    parse_files,
    parse_model,
    parse_models,
    parse_report,
)
from chat.gigachat.rest_types import (
    FunctionReport,
    ModelInfo,
    PackageBalance,
    TokenCount,
    UploadedFile,
)
from chat.gigachat.retries import RetryBudget
from chat.gigachat.statuses import ERRORS, build_status_error, is_json
from chat.gigachat.sync_transport import build_session, read_bounded, to_sync_error
from chat.gigachat.types import FunctionDefinition
from chat.gigachat.uploads import verify_upload

MAX_ANSWER_BYTES = 4 * 1024 * 1024
PATH_PART = re.compile(r"[A-Za-z0-9_:\-][A-Za-z0-9_:.\-]*")
FILE_ERRORS = {**ERRORS, 404: FileUnknown}
# Of a request whose form is always ours, the service can only dislike the file.
UPLOAD_ERRORS = {**ERRORS, 400: FileFormatRefused, 413: FileTooLarge, 422: FileFormatRefused}

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One call; `label` is its path without ids, for the log.

    is_repeatable  whether asking twice does no harm
    kinds          what its statuses mean
    """

    method: str
    path: str
    label: str
    client_id: str = ""
    is_repeatable: bool = True
    kinds: Mapping[int, type[GigaChatError]] = field(default_factory=lambda: ERRORS)
    arguments: Mapping[str, Any] = field(default_factory=dict, repr=False)


class RestClient:
    """Safe to use from several threads.

    Every call raises SetupRefused, RequestRefused, ServiceUnavailable, ServiceTimeout and AnswerMalformed; it renews a
    refused token once, and repeats what may be repeated as `options.retries` allow.
    Raises when made: AuthorityRefused, ClientCertificateRefused
    """

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        self._base_url = options.base_url.rstrip("/")
        self._link = build_link(options)
        self._session = build_session(self._link.ssl_context, options.proxy)

    def list_models(self) -> tuple[ModelInfo, ...]:
        """Return the models of this account, of every kind."""
        return self._ask(Question(method="GET", path="/models", label="/models"), parse_models)

    def get_model(self, name: str) -> ModelInfo:
        """Raises: ModelUnknown"""
        path = f"/models/{verify_part(name, ModelUnknown)}"
        return self._ask(Question(method="GET", path=path, label="/models/{name}"), parse_model)

    def count_tokens(self, texts: Sequence[str], *, model: str) -> tuple[TokenCount, ...]:
        """Return one count per text, in order; none for no texts, without a call. Raises: ModelUnknown"""
        if not texts:
            return ()
        body = {"model": model, "input": list(texts)}
        counts = self._ask(build_post("/tokens/count", body), parse_counts)
        if len(counts) != len(texts):
            raise AnswerMalformed
        return counts

    def get_balance(self) -> tuple[PackageBalance, ...]:
        """Raises: AccessDenied for an account that pays as it goes"""
        return self._ask(Question(method="GET", path="/balance", label="/balance"), parse_balance)

    def validate_function(self, definition: FunctionDefinition) -> FunctionReport:
        return self._ask(build_post("/functions/validate", to_json_function(definition)), parse_report)

    def upload_file(self, content: bytes, *, filename: str, mime: str, client_id: str) -> UploadedFile:
        """Upload for use in prompts of the same `client_id`; never repeated, for each try leaves a file behind.

        filename  with the ending that belongs to `mime`: the service goes by it
        mime      one of `uploads.IMAGE_MIMES` and `uploads.DOCUMENT_MIMES`
        Raises: FileFormatRefused, FileTooLarge, both of them by us already
        """
        verify_upload(len(content), mime)
        question = Question(
            method="POST",
            path="/files",
            label="/files",
            client_id=client_id,
            is_repeatable=False,
            kinds=UPLOAD_ERRORS,
            arguments={"files": {"file": (filename, content, mime)}, "data": {"purpose": "general"}},
        )
        return self._ask(question, parse_file)

    def list_files(self, *, client_id: str) -> tuple[UploadedFile, ...]:
        question = Question(method="GET", path="/files", label="/files", client_id=client_id, kinds=FILE_ERRORS)
        return self._ask(question, parse_files)

    def get_file(self, file_id: str, *, client_id: str) -> UploadedFile:
        """Raises: FileUnknown, FileDenied when another client id uploaded it"""
        return self._ask(build_file_question("GET", file_id, client_id=client_id), parse_file)

    def delete_file(self, file_id: str, *, client_id: str) -> None:
        """Raises: FileUnknown, FileDenied; AnswerMalformed when the service does not confirm it"""
        if not self._ask(build_file_question("POST", file_id, client_id=client_id, act="/delete"), parse_deletion):
            raise AnswerMalformed

    def close(self) -> None:
        self._link.tokens.close()
        self._session.close()

    def _ask(self, question: Question, parse: Callable[[Any], T]) -> T:
        record = RestRecord(method=question.method, path=question.label, request_id=str(uuid.uuid4()))
        try:
            answer = parse(decode_json(self._exchange(question, record)))
            record.outcome = "ok"
        except GigaChatError as error:
            record.outcome = error.code
            record.status = error.status if record.status is None else record.status
            raise
        finally:
            record.log()
        return answer

    def _exchange(self, question: Question, record: RestRecord) -> bytes:
        options = self._options
        retries = options.retries if question.is_repeatable else 0
        budget = RetryBudget(retries=retries, seconds=options.retry_seconds, now=time.monotonic())
        rejected: str | None = None
        while True:
            token = self._link.tokens.get_token(rejected=rejected)
            value = None if token is None else token.value
            record.attempts += 1
            outcome = self._try(question, value, record)
            if isinstance(outcome, bytes):
                return outcome
            if isinstance(outcome, TokenRefused) and rejected is None and value is not None:
                rejected = value
                continue
            delay = budget.find_delay(outcome, now=time.monotonic())
            if delay is None:
                raise outcome
            time.sleep(delay)

    def _try(self, question: Question, token: str | None, record: RestRecord) -> bytes | GigaChatError:
        """Raises: BreakerOpen"""
        breaker = self._link.breaker
        admission = UNTROUBLED if breaker is None else breaker.admit()
        outcome = self._send(question, token, record)
        if breaker is not None:
            breaker.record(admission, outcome if isinstance(outcome, GigaChatError) else None)
        return outcome

    def _send(self, question: Question, token: str | None, record: RestRecord) -> bytes | GigaChatError:
        """Return the body of an answer with status 200, or what it is instead.

        Errors are returned: those of `requests` hold the request with the token, and would stay attached.
        """
        options = self._options
        headers = build_headers(token, request_id=record.request_id, client_id=question.client_id)
        arguments = dict(question.arguments)
        try:
            with self._session.request(
                question.method,
                self._base_url + question.path,
                headers={**headers, **arguments.pop("headers", {})},
                timeout=(options.connect_seconds, options.rest_seconds),
                allow_redirects=False,
                stream=True,
                **arguments,
            ) as response:
                record.status = response.status_code
                record.provider_request_id = read_request_id(response.headers.get("X-Request-Id"))
                body = read_bounded(response, MAX_ANSWER_BYTES, seconds=options.rest_seconds)
        except requests.exceptions.RequestException as error:
            return to_sync_error(error)
        return judge_answer(question, response, body)


def judge_answer(question: Question, response: requests.Response, body: bytes) -> bytes | GigaChatError:
    content_type = response.headers.get("Content-Type", "")
    if response.status_code == 200:
        return body if is_json(content_type) else GatewayFailed(status=200)
    return build_status_error(
        response.status_code,
        content_type=content_type,
        retry_after=response.headers.get("Retry-After", ""),
        body=body,
        kinds=question.kinds,
    )


def build_rest_client() -> RestClient:
    """Return a client for the settings GIGACHAT_*.

    Raises: SetupRefused
    """
    return RestClient(build_options())


def build_post(path: str, body: Mapping[str, Any]) -> Question:
    arguments = {"data": orjson.dumps(body, default=to_plain), "headers": {"Content-Type": "application/json"}}
    return Question(method="POST", path=path, label=path, arguments=arguments)


def build_file_question(method: str, file_id: str, *, client_id: str, act: str = "") -> Question:
    return Question(
        method=method,
        path=f"/files/{verify_part(file_id, FileUnknown)}{act}",
        label=f"/files/{{id}}{act}",
        client_id=client_id,
        kinds=FILE_ERRORS,
    )


def verify_part(part: str, kind: type[GigaChatError]) -> str:
    """Return a part of an address that cannot become another address. Raises: `kind`; no id looks otherwise"""
    if PATH_PART.fullmatch(part) is None:
        raise kind
    return part
