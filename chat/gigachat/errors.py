"""Errors of the GigaChat client, grouped by what the caller can do.

GigaChatError
├── SetupRefused               an operator must act: settings, certificates, contract; asking again does not help
│   ├── CredentialsMalformed      not base64 of `client_id:client_secret`
│   ├── CredentialsRefused        the token service does not know them
│   ├── ScopeRefused              right credentials, wrong or unknown scope
│   ├── TokenRequestRefused       the token service refuses for another reason
│   ├── SettingRefused            a setting without a usable value; `setting` names it
│   ├── AddressRefused            an address that is not https, or no address
│   ├── AuthorityRefused          the file of the pinned certificate
│   │   ├── AuthorityMissing, AuthorityUnreadable, AuthorityMismatch, AuthorityExpired
│   ├── ClientCertificateRefused  our own certificate and key, for hosts that ask for one
│   │   ├── ClientCertificateMissing, ClientCertificateUnreadable
│   │   └── ClientCertificateRejected the server asks for one, or does not take ours
│   ├── ProxyRefused              the egress proxy does not let us through
│   ├── TlsRefused                the server's certificate does not verify against the pinned one
│   ├── TokenRefused              401 twice, the second time with a fresh token
│   ├── PaymentRequired           402: the tokens of this model are used up
│   ├── AccessDenied              403
│   └── ModelUnknown              404: the model, or the address, is wrong
├── RequestRefused             this prompt will never be accepted
│   ├── PromptInvalid             refused by us before sending; `field` and `rule` say what is wrong
│   ├── RequestMalformed          400
│   ├── ContextTooLong            413: trim the history and try once more
│   ├── ParametersRefused         422
│   │   └── FunctionsUnsupported     this model calls no functions
│   ├── FileLost                  a file must be uploaded again: FileDenied is another client's, FileUnknown is gone
│   ├── FileRefused               a file that cannot be uploaded: FileTooLarge, FileFormatRefused
│   └── StatusUnexpected          any other status that is no answer
├── ServiceUnavailable         ask again later
│   ├── BreakerOpen               this host failed so often that it is not asked for a while; nothing was sent
│   ├── Unreachable               refused, reset, no such name; TokenUnreachable for the token service
│   ├── RateLimited               429: more parallel streams than licensed; TokenRateLimited for the token service
│   └── ServerFailed              5xx; TokenServerFailed for the token service
│       └── GatewayFailed            a gateway's page instead of JSON; TokenGatewayFailed for the token service
├── ServiceTimeout             ask again later
│   ├── ConnectTimeout, PoolTimeout, ReadIdleTimeout, TotalTimeout
│   └── TokenTimeout              the token service, or another process that is fetching the token
└── AnswerBroken               what arrived cannot be used; a new attempt may succeed
    ├── StreamBroken              the stream ended without a finish reason
    ├── StreamFailed              the provider reported an error inside the stream
    ├── StreamMissing             status 200 with something else than an event stream
    ├── AnswerMalformed           not the documented JSON
    ├── EventTooLarge             one event over the size bound
    ├── FinishReasonUnknown       a reason we do not know how to show
    ├── CallLeaked                a function call written into the text
    ├── CallMalformed             a function call without a name or an object of arguments, or several of them
    └── TokenMalformed            the token service answered 200 without a usable token

No error carries what the provider wrote: its bodies may quote the prompt. `str(error)` is the closed `code`, and a name
of ours or the HTTP status where there is one.
"""

from typing import ClassVar, Self


class GigaChatError(Exception):
    """Root of the client's errors.

    is_retryable         whether the same question may succeed later
    retry_after_seconds  how long the provider asked to wait, if it did
    status               the HTTP status that led here, if one did
    code                 the closed name for logs, metrics and audit entries
    details              names of ours, of a setting or a field; never what it holds
    """

    code: ClassVar[str] = "gigachat_error"
    is_retryable: ClassVar[bool] = False

    def __init__(self, *details: str, status: int | None = None, retry_after_seconds: float | None = None) -> None:
        about = ": ".join(details) or ("" if status is None else f"HTTP {status}")
        super().__init__(f"{self.code} ({about})" if about else self.code)
        self.details = details
        self.status = status
        self.retry_after_seconds = retry_after_seconds

    def copy(self) -> Self:
        """Return an equal error without a traceback: one failure is raised in many tasks."""
        return type(self)(*self.details, status=self.status, retry_after_seconds=self.retry_after_seconds)


class SetupRefused(GigaChatError):
    """An operator must act; asking again does not help."""

    code = "setup_refused"


class CredentialsMalformed(SetupRefused):
    """`GIGACHAT_CREDENTIALS` is not base64 of `client_id:client_secret`; often the bare secret was pasted."""

    code = "credentials_malformed"


class CredentialsRefused(SetupRefused):
    code = "credentials_refused"


class ScopeRefused(SetupRefused):
    code = "scope_refused"


class TokenRequestRefused(SetupRefused):
    code = "token_request_refused"


class SettingRefused(SetupRefused):
    """A setting has no usable value; made with its name."""

    code = "setting_refused"

    @property
    def setting(self) -> str:
        return self.details[0]


class AddressRefused(SetupRefused):
    code = "address_refused"


class AuthorityRefused(SetupRefused):
    """The file of the pinned root certificate cannot be used; `manage.py gigachat_certs check` shows why."""

    code = "authority_refused"


class AuthorityMissing(AuthorityRefused):
    code = "authority_missing"


class AuthorityUnreadable(AuthorityRefused):
    """The file does not hold exactly one certificate."""

    code = "authority_unreadable"


class AuthorityMismatch(AuthorityRefused):
    """The certificate is not the pinned one, or no valid fingerprint is configured."""

    code = "authority_mismatch"


class AuthorityExpired(AuthorityRefused):
    """The certificate is outside its validity dates."""

    code = "authority_expired"


class ClientCertificateRefused(SetupRefused):
    """Our own certificate and its key cannot be used."""

    code = "client_certificate_refused"


class ClientCertificateMissing(ClientCertificateRefused):
    """One of the two files is not configured or cannot be read."""

    code = "client_certificate_missing"


class ClientCertificateUnreadable(ClientCertificateRefused):
    """No PEM, a wrong password, a key of another certificate, or outside its validity dates."""

    code = "client_certificate_unreadable"


class ClientCertificateRejected(ClientCertificateRefused):
    """The server asks for a certificate we do not have, or does not accept ours. Nothing was answered."""

    code = "client_certificate_rejected"


class ProxyRefused(SetupRefused):
    """The proxy of `GIGACHAT_PROXY_URL` wants other credentials, or may not connect to that host."""

    code = "proxy_refused"


class TlsRefused(SetupRefused):
    """The server's certificate is not for this host, expired, or from another authority. Nothing was sent."""

    code = "tls_refused"


class TokenRefused(SetupRefused):
    code = "token_refused"


class PaymentRequired(SetupRefused):
    code = "payment_required"


class AccessDenied(SetupRefused):
    code = "access_denied"


class ModelUnknown(SetupRefused):
    code = "model_unknown"


class RequestRefused(GigaChatError):
    """Asking the same again will never be accepted."""

    code = "request_refused"


class PromptInvalid(RequestRefused):
    """Refused before sending: the service would answer 400, 413 or 422. Made with the field and the rule.

    field  its path in the request, `messages[2].function_call.name`
    rule   what is asked of it
    """

    code = "prompt_invalid"

    @property
    def field(self) -> str:
        return self.details[0]

    @property
    def rule(self) -> str:
        return self.details[1]


class RequestMalformed(RequestRefused):
    code = "request_malformed"


class ContextTooLong(RequestRefused):
    code = "context_too_long"


class ParametersRefused(RequestRefused):
    code = "parameters_refused"


class FunctionsUnsupported(ParametersRefused):
    code = "functions_unsupported"


class FileLost(RequestRefused):
    """A file is not there for this client id: upload it again, then ask again."""

    code = "file_lost"


class FileDenied(FileLost):
    code = "file_denied"


class FileUnknown(FileLost):
    code = "file_unknown"


class FileRefused(RequestRefused):
    """The file can never be uploaded as it is."""

    code = "file_refused"


class FileTooLarge(FileRefused):
    code = "file_too_large"


class FileFormatRefused(FileRefused):
    code = "file_format_refused"


class StatusUnexpected(RequestRefused):
    code = "status_unexpected"


class ServiceUnavailable(GigaChatError):
    """Nothing is wrong with the question: ask again later."""

    code = "service_unavailable"
    is_retryable = True


class BreakerOpen(ServiceUnavailable):
    """The host failed several times in a row; `retry_after_seconds` says when it is asked again. Nothing was sent."""

    code = "breaker_open"


class Unreachable(ServiceUnavailable):
    code = "unreachable"


class RateLimited(ServiceUnavailable):
    code = "rate_limited"


class ServerFailed(ServiceUnavailable):
    code = "server_failed"


class GatewayFailed(ServerFailed):
    code = "gateway_failed"


class TokenUnreachable(Unreachable):
    code = "token_unreachable"


class TokenRateLimited(RateLimited):
    code = "token_rate_limited"


class TokenServerFailed(ServerFailed):
    code = "token_server_failed"


class TokenGatewayFailed(TokenServerFailed, GatewayFailed):
    code = "token_gateway_failed"


class ServiceTimeout(GigaChatError):
    """One of the named timeouts passed; which one is the subclass."""

    code = "service_timeout"
    is_retryable = True


class ConnectTimeout(ServiceTimeout):
    code = "connect_timeout"


class PoolTimeout(ServiceTimeout):
    """Every connection of this process is busy."""

    code = "pool_timeout"


class ReadIdleTimeout(ServiceTimeout):
    """The provider was silent for too long, before or inside the answer."""

    code = "read_idle_timeout"


class TotalTimeout(ServiceTimeout):
    code = "total_timeout"


class TokenTimeout(ServiceTimeout):
    code = "token_timeout"


class AnswerBroken(GigaChatError):
    """What arrived cannot be used. A new attempt may succeed; text already received stays received."""

    code = "answer_broken"
    is_retryable = True


class StreamBroken(AnswerBroken):
    code = "stream_broken"


class StreamFailed(AnswerBroken):
    code = "stream_failed"


class StreamMissing(AnswerBroken):
    code = "stream_missing"


class AnswerMalformed(AnswerBroken):
    code = "answer_malformed"


class EventTooLarge(AnswerBroken):
    code = "event_too_large"


class FinishReasonUnknown(AnswerBroken):
    code = "finish_reason_unknown"


class CallLeaked(AnswerBroken):
    code = "call_leaked"


class CallMalformed(AnswerBroken):
    code = "call_malformed"


class TokenMalformed(AnswerBroken):
    code = "token_malformed"


def find_error_class(code: str) -> type[GigaChatError] | None:
    """Return the class with this `code`, to raise again what another process met."""
    classes: list[type[GigaChatError]] = [GigaChatError]
    for kind in classes:
        if kind.code == code:
            return kind
        classes.extend(kind.__subclasses__())
    return None
