"""What an operator does about an error of GigaChat: a sentence or two each, by class. Pure."""

from chat.gigachat import errors
from chat.gigachat.errors import GigaChatError

ADVICE: dict[type[GigaChatError], str] = {
    errors.GigaChatError: "Ask the support of GigaChat with the request id and the time of this call.",
    errors.SettingRefused: "Correct the setting named here; .env.example describes its values.",
    errors.AddressRefused: (
        "GIGACHAT_BASE_URL and GIGACHAT_AUTH_URL must be https addresses without a password in them."
    ),
    errors.CredentialsMalformed: (
        "Set GIGACHAT_CREDENTIALS to the authorization key of the developer cabinet: base64 of "
        "client_id:client_secret, not the secret alone."
    ),
    errors.CredentialsRefused: (
        "The token service does not know these credentials: issue a new authorization key in the developer "
        "cabinet and set GIGACHAT_CREDENTIALS."
    ),
    errors.ScopeRefused: (
        "GIGACHAT_SCOPE is not the one of this contract: PERS for individuals, B2B for packages, CORP for pay "
        "as you go."
    ),
    errors.TokenRequestRefused: (
        "Check GIGACHAT_AUTH_URL and GIGACHAT_SCOPE: the token service does not understand us."
    ),
    errors.AuthorityRefused: (
        "Run `manage.py gigachat_certs check`, then `gigachat_certs install`; see certs/README.md."
    ),
    errors.ClientCertificateMissing: (
        "Set GIGACHAT_CLIENT_CERT_FILE and GIGACHAT_CLIENT_KEY_FILE to files this user can read."
    ),
    errors.ClientCertificateUnreadable: (
        "The client certificate must be PEM, in force, and belong to its key; an encrypted key needs "
        "GIGACHAT_CLIENT_KEY_PASSWORD."
    ),
    errors.ClientCertificateRejected: (
        "The host wants a client certificate it knows: order one, or have ours registered there."
    ),
    errors.ProxyRefused: (
        "Check user and password in GIGACHAT_PROXY_URL, and that the proxy may connect to this host and port."
    ),
    errors.TlsRefused: (
        "The server's certificate is not under the pinned root: something between us and GigaChat opens TLS, "
        "or GIGACHAT_CA_FILE belongs to another host."
    ),
    errors.TokenRefused: (
        "The token was rejected twice: check that GIGACHAT_AUTH_URL and GIGACHAT_BASE_URL belong together, or "
        "renew GIGACHAT_TOKEN."
    ),
    errors.PaymentRequired: "The tokens of this model are used up: buy a package, or set another GIGACHAT_MODEL.",
    errors.AccessDenied: "This account may not do this; ask GigaChat to allow it, or check GIGACHAT_SCOPE.",
    errors.ModelUnknown: (
        "Set GIGACHAT_MODEL, or for the step vision_model GIGACHAT_VISION_MODEL, to one of the account's chat models; "
        "a wrong GIGACHAT_BASE_URL looks the same."
    ),
    errors.RequestRefused: "The host does not speak the v1 API: GIGACHAT_BASE_URL must end in /v1.",
    errors.RateLimited: "All streams of the contract are busy: try again, or order more.",
    errors.Unreachable: (
        "Check the network: name resolution, the firewall towards this host and port, GIGACHAT_PROXY_URL."
    ),
    errors.ServerFailed: "GigaChat itself, or what stands before it, fails: wait and try again.",
    errors.ConnectTimeout: (
        "No answer to the connection: check the firewall; from networks abroad an egress proxy may be needed "
        "(GIGACHAT_PROXY_URL)."
    ),
    errors.TokenTimeout: ("The token service is silent: check the firewall towards its port, 9443 on the public host."),
    errors.ServiceTimeout: (
        "GigaChat is slow or the network drops packets: try again, then look at GIGACHAT_READ_IDLE_SECONDS."
    ),
    errors.AnswerBroken: "What answers is not GigaChat's API: check the addresses, and what stands between.",
}


def find_advice(error: GigaChatError) -> str:
    """Return the advice of the nearest class."""
    return next(ADVICE[kind] for kind in type(error).__mro__ if kind in ADVICE)
