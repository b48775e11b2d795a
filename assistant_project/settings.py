"""Every setting of the project, read from the environment in one place.

`.env.example` documents each variable with its unit, default and an example. Unsafe production
combinations are refused by `assistant_project.checks` (`manage.py check --deploy`).
"""

from datetime import timedelta
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from assistant_project.api_document import API_DOCUMENT
from assistant_project.environment import Environment
from assistant_project.log_setup import build_logging

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment()
env.read_file(env.str("ENV_FILE", default=str(BASE_DIR / ".env")))


def read_secret(name: str, default: str = "") -> str:
    """Return the variable `name`, or the stripped content of the file that `name_FILE` names."""
    return env.secret(name, default)


# --- Process -----------------------------------------------------------------------------------------------------
DEFAULT_SECRET_KEY = "insecure-development-key-do-not-use-outside-a-laptop"  # noqa: S105 - refused by checks.py
SECRET_KEY = read_secret("SECRET_KEY", DEFAULT_SECRET_KEY)
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
HOST = env.str("HOST", default="127.0.0.1")
PORT = env.int("PORT", default=8000)
# True while `manage.py demo` supervises private services on a laptop; production refuses it.
EMBEDDED = env.bool("EMBEDDED", default=False)
# What a scrape of /metrics from another machine must carry; empty: only this machine is answered.
METRICS_TOKEN = read_secret("METRICS_TOKEN")
WEB_PROCESSES = env.count("WEB_PROCESSES", default=1)
# Least level of log lines.
LOG_LEVEL = env.choice("LOG_LEVEL", ("INFO", "DEBUG", "WARNING", "ERROR"))
LOGGING = build_logging(LOG_LEVEL)

INSTALLED_APPS = [
    "daphne",
    "assistant_project",
    "chat",
    "functions",
    "accounts",
    "audit",
    "assistant_project.apps.StaffAdminConfig",  # django.contrib.admin with our staff site
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "csp",
]

MIDDLEWARE = [
    "assistant_project.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "assistant_project.middleware.StaticFilesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "assistant_project.urls"
ASGI_APPLICATION = "assistant_project.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ],
        },
    },
]

# --- Database: PostgreSQL only ----------------------------------------------------------------------------------
DATABASE_URL = read_secret("DATABASE_URL")
DATABASES = {"default": env.database("DATABASE_URL", default="postgres://assistant@127.0.0.1:5432/assistant")}
# 0: every use opens a connection of its own; for commands, not for servers.
DATABASE_POOL_SIZE = env.count("DATABASE_POOL_SIZE", default=8, least=0)
DATABASES["default"]["CONN_MAX_AGE"] = 0
DATABASES["default"].setdefault("OPTIONS", {})
if DATABASE_POOL_SIZE:
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 0, "max_size": DATABASE_POOL_SIZE, "timeout": 10}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: optional in one process, required for several -------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", default="")
# How long a request waits for Redis before it goes on without.
REDIS_SECONDS = env.float("REDIS_SECONDS", default=1.0)
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_connect_timeout": REDIS_SECONDS, "socket_timeout": REDIS_SECONDS},
        }
    }
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL]},
        },
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    CHANNEL_LAYERS = {}

# --- Identity ---------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# PEM of a P-256 private key; empty: one is derived from SECRET_KEY, the same in every process of a demo.
JWT_SIGNING_KEY = read_secret("JWT_SIGNING_KEY")
# PEM blocks of public keys that are accepted beside it, while the signing key is being exchanged.
JWT_PREVIOUS_KEYS = read_secret("JWT_PREVIOUS_KEYS")
JWT_ISSUER = env.str("JWT_ISSUER", default="bank-assistant")
JWT_AUDIENCE = env.str("JWT_AUDIENCE", default="asst.v1")
ACCESS_TOKEN_SECONDS = env.int("ACCESS_TOKEN_SECONDS", default=600)
REFRESH_TOKEN_DAYS = env.int("REFRESH_TOKEN_DAYS", default=30)
# How long the tokens of a session that has ended are kept.
REFRESH_TOKEN_KEEP_DAYS = env.count("REFRESH_TOKEN_KEEP_DAYS", default=90, least=0)
REFRESH_REUSE_GRACE_SECONDS = env.int("REFRESH_REUSE_GRACE_SECONDS", default=60)
SESSIONS_PER_CUSTOMER = env.int("SESSIONS_PER_CUSTOMER", default=5)
LOGIN_WINDOW_SECONDS = env.int("LOGIN_WINDOW_SECONDS", default=900)
LOGIN_FAILURES_PER_USERNAME = env.int("LOGIN_FAILURES_PER_USERNAME", default=10)
LOGIN_FAILURES_PER_IP = env.int("LOGIN_FAILURES_PER_IP", default=100)
# How many proxies of our own append to X-Forwarded-For; 0: the header is not believed.
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)

# Staff sign in with a second factor (TOTP or a one-time code); the laptop demo has none to offer.
STAFF_OTP_REQUIRED = env.bool("STAFF_OTP_REQUIRED", default=not EMBEDDED)
# django-axes: so many wrong passwords for one name from one address lock that pair for a while.
AXES_FAILURE_LIMIT = env.int("STAFF_LOGIN_FAILURES", default=5)
AXES_COOLOFF_TIME = timedelta(minutes=env.int("STAFF_LOGIN_LOCK_MINUTES", default=15))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "audit.peer.read_address"
AXES_LOCKOUT_TEMPLATE = "audit/locked_out.html"
# Names and addresses belong in evidence, as pseudonyms, not in a second log beside it.
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address"]
AXES_DISABLE_ACCESS_LOG = True

# --- Evidence log -----------------------------------------------------------------------------------------------
# Goes into every entry's body and, later, into signed checkpoints: unique per log, never shared by test and production.
DEFAULT_AUDIT_LOG_NAME = "bank.example/assistant-audit/demo"
AUDIT_LOG_NAME = env.str("AUDIT_LOG_NAME", default=DEFAULT_AUDIT_LOG_NAME)
# Key of the digests that stand for addresses and login names; empty: derived from SECRET_KEY.
AUDIT_PSEUDONYM_KEY = read_secret("AUDIT_PSEUDONYM_KEY")
# Exports one process streams at the same time; each holds a database connection outside the pool.
AUDIT_EXPORT_LIMIT = env.int("AUDIT_EXPORT_LIMIT", default=2)

# --- Bank -------------------------------------------------------------------------------------------------------
# Key of the encrypted phones and account numbers of payees, and of their digests; empty: derived from SECRET_KEY.
BANK_DATA_KEY = read_secret("BANK_DATA_KEY")
# Class that carries transfers by phone and bill payments out of the house (accounts.gateways.contract.PaymentGateway).
DEMO_PAYMENT_GATEWAY = "accounts.gateways.demo.DemoGateway"
PAYMENT_GATEWAY = env.str("PAYMENT_GATEWAY", default=DEMO_PAYMENT_GATEWAY)

# --- Confirmations ----------------------------------------------------------------------------------------------
# PEM of a P-256 private key that signs what customers are asked and receipts; empty: derived from SECRET_KEY.
CONFIRM_SIGNING_KEY = read_secret("CONFIRM_SIGNING_KEY")
# PEM blocks of public keys that went before it: phones still check older receipts with them.
CONFIRM_PREVIOUS_KEYS = read_secret("CONFIRM_PREVIOUS_KEYS")
# How long a customer may think; five minutes at most.
CONFIRM_SECONDS = env.count("CONFIRM_SECONDS", default=120, most=300)
# How long a given password counts as fresh, for what needs it.
STEP_UP_SECONDS = env.count("STEP_UP_SECONDS", default=300)
# Which device may approve: any of the customer's with a key, or only the one that asked.
CONFIRM_DEVICES = env.choice("CONFIRM_DEVICES", ("any_trusted", "same_device"))

# --- WebSocket --------------------------------------------------------------------------------------------------
# Besides the page's own origin.
WS_ALLOWED_ORIGINS = env.list("WS_ALLOWED_ORIGINS", default=[])
WS_HELLO_SECONDS = env.float("WS_HELLO_SECONDS", default=10.0)
WS_PING_SECONDS = env.float("WS_PING_SECONDS", default=25.0)
WS_PONG_SECONDS = env.float("WS_PONG_SECONDS", default=10.0)
WS_WINDOW_BYTES = env.int("WS_WINDOW_BYTES", default=256 * 1024)
WS_WINDOW_FRAMES = env.int("WS_WINDOW_FRAMES", default=512)
WS_WINDOW_FULL_SECONDS = env.float("WS_WINDOW_FULL_SECONDS", default=30.0)
WS_AGE_SECONDS = env.float("WS_AGE_SECONDS", default=24 * 3600.0)
WS_EXPIRY_NOTICE_SECONDS = env.float("WS_EXPIRY_NOTICE_SECONDS", default=60.0)
WS_EXPIRY_GRACE_SECONDS = env.float("WS_EXPIRY_GRACE_SECONDS", default=25.0)
WS_SOCKETS_PER_CUSTOMER = env.int("WS_SOCKETS_PER_CUSTOMER", default=5)
WS_COMMANDS = env.int("WS_COMMANDS", default=30)
WS_COMMANDS_SECONDS = env.float("WS_COMMANDS_SECONDS", default=10.0)
# How long phones have, at a stop, to come back elsewhere before their sockets are closed.
TURNS_PER_MINUTE = env.int("TURNS_PER_MINUTE", default=10)
TURNS_PER_HOUR = env.int("TURNS_PER_HOUR", default=100)

# --- Files ------------------------------------------------------------------------------------------------------
# `id:base64 of 32 bytes`, several separated by spaces: the first encrypts, all decrypt. Empty: derived from SECRET_KEY.
FILE_ENCRYPTION_KEYS = read_secret("FILE_ENCRYPTION_KEYS")
MEDIA_ROOT = env.str("MEDIA_DIR", default=str(BASE_DIR / ".run" / "files" if EMBEDDED else BASE_DIR / "media"))
FILE_STORAGE_BACKEND = env.str("FILE_STORAGE_BACKEND", default="django.core.files.storage.FileSystemStorage")
FILE_STORAGE_OPTIONS = env.json(
    "FILE_STORAGE_OPTIONS", default={"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700}
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "files": {"BACKEND": FILE_STORAGE_BACKEND, "OPTIONS": FILE_STORAGE_OPTIONS},
}
# Bodies stay in memory, never in a temporary file that nobody encrypts; how large they may be is BodyGuard's to say.
FILE_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 * 1024
# Uploads one process takes at the same time: each may need some 250 MB while a picture is written anew.
FILE_UPLOADS = env.count("FILE_UPLOADS", default=4)
FILES_PER_HOUR = env.int("FILES_PER_HOUR", default=60)
# Originals are removed after so many days; 0: kept until their customer deletes them.
FILE_RETENTION_DAYS = env.count("FILE_RETENTION_DAYS", default=0, least=0)

# --- Engine -----------------------------------------------------------------------------------------------------
ENGINE_MODE = env.choice("ENGINE_MODE", ("embedded", "separate"))
ENGINE_MAX_RUNS = env.int("ENGINE_MAX_RUNS", default=10)
# Most turns that may wait for a stream of GigaChat, and how long one may.
QUEUE_LIMIT = env.int("QUEUE_LIMIT", default=200)
QUEUE_SECONDS = env.float("QUEUE_SECONDS", default=60.0)
# Tokens of a day, read and written together; 0: no budget.
BUDGET_CUSTOMER_SOFT_TOKENS = env.int("BUDGET_CUSTOMER_SOFT_TOKENS", default=300_000)
BUDGET_CUSTOMER_HARD_TOKENS = env.int("BUDGET_CUSTOMER_HARD_TOKENS", default=1_000_000)
BUDGET_BANK_HARD_TOKENS = env.int("BUDGET_BANK_HARD_TOKENS", default=0)
# Most time from the claim of a turn to its last word.
ENGINE_TURN_SECONDS = env.float("ENGINE_TURN_SECONDS", default=600.0)
ENGINE_LEASE_SECONDS = env.float("ENGINE_LEASE_SECONDS", default=15.0)
ENGINE_GRACE_SECONDS = env.float("ENGINE_GRACE_SECONDS", default=30.0)
# How long phones have to move to another process before a stopping one closes their sockets.
DRAIN_SECONDS = env.float("DRAIN_SECONDS", default=20.0)

# --- Functions --------------------------------------------------------------------------------------------------
# Whether the model is told of functions at all.
FUNCTIONS_ENABLED = env.bool("FUNCTIONS_ENABLED", default=True)
# What happens to an answer with figures that nothing had told the model: it is written anew, only logged, or nothing.
GROUNDING = env.choice("GROUNDING", ("enforce", "log", "off"))
# Scopes of functions/registry.py that customers' sessions have; empty: all. What is left out is neither offered nor
# callable.
FUNCTION_SCOPES = env.list("FUNCTION_SCOPES", default=[])
# What the model may call: in one turn (count, and seconds of handlers), and for one customer in a window of seconds.
FUNCTION_CALLS_PER_TURN = env.int("FUNCTION_CALLS_PER_TURN", default=6)
FUNCTION_SECONDS_PER_TURN = env.float("FUNCTION_SECONDS_PER_TURN", default=30.0)
FUNCTION_CALLS_PER_CUSTOMER = env.int("FUNCTION_CALLS_PER_CUSTOMER", default=60)
FUNCTION_WINDOW_SECONDS = env.float("FUNCTION_WINDOW_SECONDS", default=600.0)
# Most time of one handler; the database cancels its statement then.
FUNCTION_HANDLER_SECONDS = env.float("FUNCTION_HANDLER_SECONDS", default=3.0)

# --- Upkeep -----------------------------------------------------------------------------------------------------
# Between two looks of `manage.py run_upkeep` at what is due; each chore has a rhythm of its own besides.
UPKEEP_SECONDS = env.float("UPKEEP_SECONDS", default=30.0)

# --- GigaChat ---------------------------------------------------------------------------------------------------
# oauth: the public hosts; mtls: a contour that knows us by our certificate; token: a fixed bearer token.
GIGACHAT_AUTH = env.str("GIGACHAT_AUTH", default="oauth")
GIGACHAT_TOKEN = read_secret("GIGACHAT_TOKEN")
GIGACHAT_CLIENT_CERT_FILE = env.str("GIGACHAT_CLIENT_CERT_FILE", default="")
GIGACHAT_CLIENT_KEY_FILE = env.str("GIGACHAT_CLIENT_KEY_FILE", default="")
GIGACHAT_CLIENT_KEY_PASSWORD = read_secret("GIGACHAT_CLIENT_KEY_PASSWORD")
GIGACHAT_PROXY_URL = read_secret("GIGACHAT_PROXY_URL")
GIGACHAT_CREDENTIALS = read_secret("GIGACHAT_CREDENTIALS")
GIGACHAT_SCOPE = env.str("GIGACHAT_SCOPE", default="GIGACHAT_API_PERS")
# Parallel streams of the licence, shared by the whole installation.
GIGACHAT_STREAMS = env.int("GIGACHAT_STREAMS", default=1 if GIGACHAT_SCOPE == "GIGACHAT_API_PERS" else 10)
DEFAULT_GIGACHAT_BASE_URL = "https://api.giga.chat/v1"
GIGACHAT_BASE_URL = env.str("GIGACHAT_BASE_URL", default=DEFAULT_GIGACHAT_BASE_URL)
GIGACHAT_AUTH_URL = env.str("GIGACHAT_AUTH_URL", default="https://ngw.devices.sberbank.ru:9443/api/v2/oauth")
GIGACHAT_CA_FILE = env.str("GIGACHAT_CA_FILE", default=str(BASE_DIR / "certs" / "russian_trusted_root_ca.pem"))
GIGACHAT_CA_SHA256 = env.str(
    "GIGACHAT_CA_SHA256",
    default="D26D2D0231B7C39F92CC738512BA54103519E4405D68B5BD703E9788CA8ECF31",
)
GIGACHAT_MODEL = env.str("GIGACHAT_MODEL", default="GigaChat-2")
# Answers when a picture is part of the conversation; GIGACHAT_MODEL may be one that cannot see.
GIGACHAT_VISION_MODEL = env.str("GIGACHAT_VISION_MODEL", default="GigaChat-2-Pro")
GIGACHAT_CONNECT_SECONDS = env.float("GIGACHAT_CONNECT_SECONDS", default=10.0)
GIGACHAT_READ_IDLE_SECONDS = env.float("GIGACHAT_READ_IDLE_SECONDS", default=150.0)
GIGACHAT_TOTAL_SECONDS = env.float("GIGACHAT_TOTAL_SECONDS", default=600.0)
GIGACHAT_POOL_SECONDS = env.float("GIGACHAT_POOL_SECONDS", default=10.0)
# The phone page says so when answers come from the sandbox; the client itself makes no difference.
GIGACHAT_SANDBOX = env.bool("GIGACHAT_SANDBOX", default=False)
GIGACHAT_POOL_SIZE = env.int("GIGACHAT_POOL_SIZE", default=10)
GIGACHAT_RETRIES = env.int("GIGACHAT_RETRIES", default=2)
GIGACHAT_RETRY_SECONDS = env.float("GIGACHAT_RETRY_SECONDS", default=15.0)
GIGACHAT_REST_SECONDS = env.float("GIGACHAT_REST_SECONDS", default=30.0)
GIGACHAT_IMAGE_STYLE = env.str("GIGACHAT_IMAGE_STYLE", default="attachments")
# Which models see pictures is in no API; docs/gigachat.md names the source.
GIGACHAT_VISION_MODELS = env.list("GIGACHAT_VISION_MODELS", default=["GigaChat-2-Pro", "GigaChat-2-Max"])
GIGACHAT_BREAKER_FAILURES = env.int("GIGACHAT_BREAKER_FAILURES", default=5)
GIGACHAT_BREAKER_WINDOW_SECONDS = env.float("GIGACHAT_BREAKER_WINDOW_SECONDS", default=60.0)
GIGACHAT_BREAKER_OPEN_SECONDS = env.float("GIGACHAT_BREAKER_OPEN_SECONDS", default=20.0)

# --- REST -------------------------------------------------------------------------------------------------------
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", default=600)
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "accounts.api.negotiation.FirstRenderer",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["chat.api.parsers.StrictJSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api.authentication.IsCustomer"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api.throttling.CustomerThrottle"],
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "accounts.api.errors.handle_exception",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = API_DOCUMENT

# --- Languages and time -----------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("ru", _("Russian")), ("en", _("English"))]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
# Where the bank's days begin.
BANK_TIME_ZONE = env.str("BANK_TIME_ZONE", default="Europe/Moscow")

# --- Static files and browser hardening -------------------------------------------------------------------------
STATIC_URL = "static/"
# Where `collectstatic` puts the files of a release; empty: they are served from the packages.
STATIC_ROOT = env.str("STATIC_ROOT", default="") or None
WHITENOISE_USE_FINDERS = True
# True: everybody reaches this server by https, through a proxy that sets X-Forwarded-Proto and replaces a given one.
HTTPS = env.bool("HTTPS", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]  # probes come from inside, without the proxy
HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_SECONDS = HSTS_SECONDS if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_AGE = env.int("STAFF_SESSION_SECONDS", default=8 * 3600)
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SAMESITE = "Strict"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    },
}

env.refuse_mistakes()
