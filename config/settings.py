"""Settings of every deployable, from the environment.

MONOLIFT_ENV        `development` (default) or `production`
MONOLIFT_DATA       folder for what the shop keeps on this machine; default `var`
MONOLIFT_SHARED     folder for what all its deployables have in common, pictures for one; default
                    that of MONOLIFT_DATA
MONOLIFT_POSTGRES   postgresql://user:password@host:port/name; DATABASE_URL is read without it;
                    without both, the databases are SQLite files in the data folder
MONOLIFT_DATABASES  `one` (default), or `each`: every module on a database of its own
MONOLIFT_CONTROL_POSTGRES
                    in a deployable that a module was lifted into: MONOLIFT_POSTGRES of the control
                    deployable, where the module's tables are until they are cut over
MONOLIFT_DATABASE_X a file or a postgresql:// URL for the alias X, for example _INVENTORY, where it
                    is not beside the others; the topology's [databases] says which aliases exist
MONOLIFT_TRANSPORT  `local` (default), or `loopback`: calls between modules through the codec
MONOLIFT_EXECUTOR   who runs deliveries: `threads` (default) of the worker, or `celery`
MONOLIFT_WAKE       how a commit wakes the workers: `pipe` (default) on one machine, `notify`
                    by PostgreSQL on several, or `poll`
MONOLIFT_DEPLOYABLE which deployable of the topology this process is; default `shop`
MONOLIFT_TOPOLOGY   the file that says what runs where; default `config/topology.toml`
MONOLIFT_URLS       where the others are, `warehouse=http://warehouse:8000,...`, before what the
                    topology says
MONOLIFT_KEYS       a JSON file with the secrets that deployables sign requests with: a list of
                    {"id": ..., "secret": ..., "issuer": "shop"}
MONOLIFT_STREAM     how events reach modules in other deployables: `http` (default), `redis` or
                    `kafka`
MONOLIFT_STREAM_URL where Redis or Kafka is for that; by default Redis is that of REDIS_URL
MONOLIFT_METRICS_TOKEN
                    what Prometheus shows to read /_monolift/metrics; without it, in production,
                    nobody reads them
SECRET_KEY          required in production
ALLOWED_HOSTS       comma-separated host names; required in production
REDIS_URL           Celery's broker; needed with MONOLIFT_EXECUTOR=celery, or MONOLIFT_STREAM=redis
TRUSTED_PROXIES     how many proxies of ours stand in front, each of which adds to X-Forwarded-For:
                    they tell the client's address, which attempts to sign in are counted by;
                    1 by default in production behind HTTPS, else 0
EMAIL_HOST          the mail server; without it production uses one on this machine, and development
                    writes mail to files in the data folder's `mail`
EMAIL_PORT          587 by default, 465 with EMAIL_SECURITY=tls, 25 with none
EMAIL_SECURITY      `starttls` (default with EMAIL_HOST), `tls`, or `none`
EMAIL_USER          with EMAIL_PASSWORD, how to sign in at the mail server
EMAIL_FROM          the sender; required with EMAIL_HOST
SITE_URL            where mails about orders link to; by default, in production https and the first
                    of ALLOWED_HOSTS, else where `monolift run` serves
STOCK_MAIL_TO       who gets a mail when stock is low; nobody by default
SERVE_STATIC        `0` when something in front of the shop serves /static/
LOG_LEVEL           `INFO` by default
"""

import hashlib
import json
import os
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import django
from django.core.exceptions import ImproperlyConfigured

from monolift.observe.logs import logging_config
from monolift.supervise.beside import told

BASE_DIR = Path(__file__).resolve().parent.parent
MODULES = (
    "profiles",
    "catalog",
    "pricing",
    "inventory",
    "payments",
    "shipping",
    "orders",
    "search",
    "recommendations",
    "notifications",
)


def _choice(name: str, *choices: str) -> str:
    value = os.environ.get(name, choices[0])
    if value not in choices:
        raise ImproperlyConfigured(f"{name} is {value!r}: choose from {', '.join(choices)}.")
    return value


def _number(name: str, default: int) -> int:
    value = os.environ.get(name) or str(default)
    if not (value.isascii() and value.isdecimal()):
        raise ImproperlyConfigured(f"{name} is {value!r}: give a whole number.")
    return int(value)


PRODUCTION = _choice("MONOLIFT_ENV", "development", "production") == "production"
DATA_DIR = Path(os.environ.get("MONOLIFT_DATA", BASE_DIR / "var")).absolute()
SHARED_DIR = Path(os.environ.get("MONOLIFT_SHARED") or DATA_DIR).absolute()
if not PRODUCTION:
    # What `monolift run` tells its processes, for commands beside them.
    for _name, _value in told(DATA_DIR).items():
        os.environ.setdefault(_name, _value)

# Security ---------------------------------------------------------------------------------------

_DEFAULT_SECRET = "only-for-development-and-tests"  # noqa: S105 - production refuses it
SECRET_KEY = os.environ.get("SECRET_KEY") or _DEFAULT_SECRET
DEBUG = not PRODUCTION
ALLOWED_HOSTS = [host for host in os.environ.get("ALLOWED_HOSTS", "").split(",") if host]
if PRODUCTION and (SECRET_KEY == _DEFAULT_SECRET or len(SECRET_KEY) < 32):
    raise ImproperlyConfigured(
        "Production does not start on the default SECRET_KEY, nor on one of fewer than 32 "
        "characters. Set SECRET_KEY, for example to the output of `openssl rand -hex 32`."
    )
if PRODUCTION and not ALLOWED_HOSTS:
    raise ImproperlyConfigured(
        "Production needs ALLOWED_HOSTS: the host names that customers use, comma-separated."
    )
if not PRODUCTION:
    ALLOWED_HOSTS = ALLOWED_HOSTS or ["*"]

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CSP = {
    "default-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    # The API's documentation page sets styles from its script.
    "style-src": ["'self'", "'unsafe-inline'"],
    "object-src": ["'none'"],
    "base-uri": ["'self'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
# Behind TLS, which production has in front of it; `http` here is what the proxy speaks to us.
HTTPS = PRODUCTION and _choice("HTTPS", "1", "0") == "1"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
TRUSTED_PROXIES = _number("TRUSTED_PROXIES", 1 if HTTPS else 0)

AUTH_USER_MODEL = "identity.User"
AUTHENTICATION_BACKENDS = ["config.identity.backends.ThrottledBackend"]
SESSION_ENGINE = "config.identity.sessions"
LOGIN_URL = "identity:sign-in"
LOGIN_REDIRECT_URL = "/account"
PASSWORD_RESET_TIMEOUT = 3600  # seconds
SIGN_UP_TIMEOUT = 24 * 3600  # seconds
# How often something may be tried; see config/identity/throttle.py.
THROTTLES = {
    "sign_in_by_account": "10/10 minutes",
    "sign_in_by_device": "10/10 minutes",
    "sign_in_by_client": "100/10 minutes",
    "mail_by_recipient": "5/hour",
    "mail_by_client": "30/hour",
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Applications -----------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config.backoffice.apps.BackOfficeConfig",  # Django's admin with a site of ours
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "ninja",  # so that the API's documentation page loads nothing from elsewhere
    "monolift",
    "monolift.db",
    "config",
    "config.identity",
    *(f"modules.{name}" for name in MODULES),
    "modules.storefront",  # has no tables, so no database of its own either
]
MIDDLEWARE = [
    "monolift.gateway.requests.RequestScopeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    # Django 5.2 does not have it yet.
    *(["django.middleware.csp.ContentSecurityPolicyMiddleware"] if django.VERSION >= (6,) else []),
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.problems.ApiProblemsMiddleware",
    "config.identity.devices.DeviceMiddleware",
    "config.identity.later.TryLaterMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "config" / "templates"],  # before those of the apps
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "modules.storefront.views.frame.frame",
            ]
        },
    }
]

# Databases --------------------------------------------------------------------------------------

_POSTGRES = os.environ.get("MONOLIFT_POSTGRES") or os.environ.get("DATABASE_URL", "")


def _sqlite(alias: str, file: str = "") -> dict[str, Any]:
    name = "shop" if alias == "default" else alias
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(file) if file else DATA_DIR / f"{name}.sqlite3",
        "OPTIONS": {
            # A transaction takes the write lock at its start, waiting for it up to `timeout`
            # seconds: one that begins by reading could not wait for it later.
            "transaction_mode": "IMMEDIATE",
            "timeout": 5,
            "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;",
        },
        "CONN_MAX_AGE": None,
        # A file, because tests with several threads need a connection for each.
        "TEST": {"NAME": DATA_DIR / f"test-{name}.sqlite3"},
    }


def _postgresql(alias: str, own: str = "") -> dict[str, Any]:
    url = urlsplit(own or _POSTGRES)
    if url.scheme not in ("postgresql", "postgres") or not url.path.strip("/"):
        raise ImproperlyConfigured(
            "MONOLIFT_POSTGRES (or DATABASE_URL) must look like postgresql://user@host:5432/name."
        )
    name = unquote(url.path.strip("/"))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name if own or alias == "default" else f"{name}_{alias}",
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": url.hostname or "",
        "PORT": str(url.port or ""),
        "OPTIONS": {
            "connect_timeout": 5,
            # Lets the library prepare its hottest statements. None behind a pooler that mixes
            # sessions and does not know prepared statements (PgBouncer before 1.21).
            "prepare_threshold": 5,
            **dict(parse_qsl(url.query)),
        },
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
    }


def database(alias: str) -> dict[str, Any]:
    """The database of that alias, on whichever engine the environment chose."""
    own = os.environ.get(f"MONOLIFT_DATABASE_{alias.upper()}", "")
    if own.startswith("postgres") or (_POSTGRES and alias in _LIFTED):
        return _lifted(alias, own)
    if own:
        return _sqlite(alias, own)
    return _postgresql(alias) if _POSTGRES else _sqlite(alias)


TOPOLOGY = Path(os.environ.get("MONOLIFT_TOPOLOGY") or BASE_DIR / "config" / "topology.toml")


def _declared_databases() -> list[str]:
    """Where a lift may put a module's tables. They are opened when they are used."""
    try:
        return list(tomllib.loads(TOPOLOGY.read_text()).get("databases", {}))
    except (OSError, tomllib.TOMLDecodeError, AttributeError):
        return []  # the library says what is wrong with the file


def _lifted(alias: str, own: str) -> dict[str, Any]:
    """A module's own: `inventory` is the control deployable's database by a role of the module's,
    and `inventory_away` is another one, where a lift takes its tables.
    """
    module = alias.removesuffix("_away")
    control = _postgresql("default", os.environ.get("MONOLIFT_CONTROL_POSTGRES") or _POSTGRES)
    owner = {"USER": control["USER"], "PASSWORD": control["PASSWORD"]}
    if own:
        entry = _postgresql(alias, own)
    else:
        password = hashlib.sha256(f"{SECRET_KEY}:{module}".encode()).hexdigest()
        entry = {**control, "USER": f"monolift_{module}", "PASSWORD": password}
        if alias.endswith("_away"):
            entry["NAME"] += f"_{alias}"
    return {
        **entry,
        "ENGINE": "monolift.db.postgresql",
        "MONOLIFT": {"module": module, "owner": owner},
    }


_ALIASES = ["default"]
_LIFTED: list[str] = []
if _choice("MONOLIFT_DATABASES", "one", "each") == "each":
    _ALIASES += MODULES
else:
    _LIFTED = _declared_databases()
    if _POSTGRES:
        _LIFTED += [f"{alias}_away" for alias in _LIFTED]
    _ALIASES += _LIFTED
DATABASES = {alias: database(alias) for alias in _ALIASES}
DATABASE_ROUTERS = ["monolift.registry.router.ModuleRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if not _POSTGRES:
    DATA_DIR.mkdir(parents=True, exist_ok=True)

# Modules ----------------------------------------------------------------------------------------


def _urls() -> dict[str, str]:
    pairs = [pair for pair in os.environ.get("MONOLIFT_URLS", "").split(",") if pair]
    return {name.strip(): url.strip() for name, _, url in (pair.partition("=") for pair in pairs)}


def _keys() -> list[dict[str, str]]:
    file = os.environ.get("MONOLIFT_KEYS")
    if not file:
        return []
    try:
        keys: list[dict[str, str]] = json.loads(Path(file).read_text())
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(f"MONOLIFT_KEYS names {file}: {error}.") from None
    return keys


_STREAM = _choice("MONOLIFT_STREAM", "http", "redis", "kafka")
_STREAM_URL = os.environ.get("MONOLIFT_STREAM_URL") or (
    os.environ.get("REDIS_URL") if _STREAM == "redis" else None
)
if _STREAM != "http" and not _STREAM_URL:
    raise ImproperlyConfigured(
        f"MONOLIFT_STREAM is {_STREAM!r}: set MONOLIFT_STREAM_URL, for Redis to an address like "
        "redis://127.0.0.1:6379/0 (REDIS_URL is read without it), for Kafka to its bootstrap "
        "servers, like 127.0.0.1:9092."
    )

MONOLIFT = {
    "TOPOLOGY": TOPOLOGY,
    "URLS": _urls(),
    "KEYS": _keys(),
    "DATA": DATA_DIR,
    "TRANSPORT": _choice("MONOLIFT_TRANSPORT", "local", "loopback"),
    "EXECUTOR": _choice("MONOLIFT_EXECUTOR", "threads", "celery"),
    "STREAM": _STREAM,
    "STREAM_URL": _STREAM_URL,
    "CELERY_APP": "config.celery.app",
    "WAKE": _choice("MONOLIFT_WAKE", "pipe", "notify", "poll"),
    "METRICS_TOKEN": os.environ.get("MONOLIFT_METRICS_TOKEN") or None,
}
PAYMENTS = {
    "PROVIDER": "modules.payments.provider.sandbox.SandboxProvider",
    "SANDBOX_FILE": SHARED_DIR / "payments-sandbox.sqlite3",
}
CATALOG = {
    # Who checks and keeps the pictures that the back office uploads.
    "PICTURES": "config.catalogue_import.pictures.Uploads",
}
SHIPPING: dict[str, Any] = {
    "CARRIER": "modules.shipping.provider.sandbox.SandboxCarrier",
    # Seconds until a parcel is packed; until then its order can be cancelled.
    "HAND_OVER_AFTER": 60,
}
ORDERS = {
    # Days that what is in a basket is kept after its last change, as long as a browser knows it.
    "KEEP_BASKETS": 90,
}
CELERY_BROKER_URL = os.environ.get("REDIS_URL", "")
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1

# Mail -------------------------------------------------------------------------------------------

_WAYS = ("starttls", "tls", "none") if os.environ.get("EMAIL_HOST") else ("none", "starttls", "tls")
_MAIL_SECURITY = _choice("EMAIL_SECURITY", *_WAYS)
_MAIL_PORTS = {"starttls": 587, "tls": 465, "none": 25}
if PRODUCTION or os.environ.get("EMAIL_HOST"):
    if os.environ.get("EMAIL_HOST") and not os.environ.get("EMAIL_FROM"):
        raise ImproperlyConfigured("EMAIL_HOST needs EMAIL_FROM: the address that mail comes from.")
    _MAILER: dict[str, Any] = {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": os.environ.get("EMAIL_HOST") or "localhost",
            "port": _number("EMAIL_PORT", _MAIL_PORTS[_MAIL_SECURITY]),
            "username": os.environ.get("EMAIL_USER", ""),
            "password": os.environ.get("EMAIL_PASSWORD", ""),
            "use_tls": _MAIL_SECURITY == "starttls",
            "use_ssl": _MAIL_SECURITY == "tls",
            "timeout": 10,
        },
    }
else:
    _MAILER = {
        "BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "OPTIONS": {"file_path": SHARED_DIR / "mail"},
    }
    MAIL_FOLDER = SHARED_DIR / "mail"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = os.environ.get("EMAIL_FROM") or "shop@localhost"
if django.VERSION >= (6, 1):
    MAILERS = {"default": _MAILER}
else:
    EMAIL_BACKEND = _MAILER["BACKEND"]
    EMAIL_FILE_PATH = _MAILER["OPTIONS"].get("file_path")
    EMAIL_HOST = _MAILER["OPTIONS"].get("host", "")
    EMAIL_PORT = _MAILER["OPTIONS"].get("port", 0)
    EMAIL_HOST_USER = _MAILER["OPTIONS"].get("username", "")
    EMAIL_HOST_PASSWORD = _MAILER["OPTIONS"].get("password", "")
    EMAIL_USE_TLS = _MAILER["OPTIONS"].get("use_tls", False)
    EMAIL_USE_SSL = _MAILER["OPTIONS"].get("use_ssl", False)
    EMAIL_TIMEOUT = _MAILER["OPTIONS"].get("timeout")

SITE_URL = os.environ.get("SITE_URL", "").rstrip("/") or (
    f"https://{ALLOWED_HOSTS[0]}"
    if PRODUCTION
    # `monolift run` says where the web process listens.
    else os.environ.get("MONOLIFT_URL", "http://127.0.0.1:8000")
)
STOREFRONT = {
    # How many seconds old what pages say of goods may be; prices are charged as they are.
    "FRESH_FOR": 5.0,
    # How many seconds old it may be while the module that knows it is silent.
    "STANDS_FOR": 300.0,
}
NOTIFICATIONS = {
    # What a mail links to.
    "ORDER_URL": f"{SITE_URL}/orders/{{order_id}}",
    # Behind the @ of a Message-ID.
    "MAIL_DOMAIN": DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">") or "localhost",
    # Who is told when stock is low; nobody by default.
    "STOCK_TO": os.environ.get("STOCK_MAIL_TO", ""),
}

# Everything else --------------------------------------------------------------------------------

LOGGING = logging_config(level=os.environ.get("LOG_LEVEL", "INFO"))
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
# The copies of pictures that `import_catalog` and the back office have checked.
IMPORTED_IMAGES = SHARED_DIR / "images"
IMPORTED_IMAGES.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [
    ("products", BASE_DIR / "data" / "images"),
    ("imported", IMPORTED_IMAGES),
]
SERVE_STATIC = _choice("SERVE_STATIC", "1", "0") == "1"
