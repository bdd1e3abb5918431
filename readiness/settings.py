"""Settings: every knob comes from the environment and has a safe default.

| variable | what it is | default |
|---|---|---|
| DATABASE_URL | the database | SQLite in READINESS_DATA |
| READINESS_ADDRESS | public address, ``https://…`` behind a proxy | http://127.0.0.1:8000 |
| READINESS_HOSTS | further host names that are answered, comma-separated | none |
| READINESS_PROXIES | proxies in front that set ``X-Forwarded-For`` | 1 with https, else 0 |
| READINESS_HSTS_SUBDOMAINS | ``yes`` where all below that name speaks https too | no |
| READINESS_SECRET_KEY | signs sessions, keys the hashes of codes | made in READINESS_DATA |
| READINESS_DATA | folder of what is kept on disk | var/ |
| READINESS_CONTROLLER | who answers for the personal data | none, and the notice says so |
| READINESS_CONTACT | how to reach them | none |
| READINESS_SECURITY_CONTACT | ``mailto:`` or ``https:`` where weaknesses are told | none |
| READINESS_LEGAL_BASIS | ``public-interest`` for a public body | legitimate-interest |
| READINESS_AUDITED_ON | day of the operator's RGAA audit (2027-03-01) | none: non-compliant |
| READINESS_AUDITED_BY | who made it | none |
| READINESS_AUDIT_RATE | per cent of criteria it found met; the state in law follows | none |
| READINESS_ACCESSIBILITY_PLAN | address of the operator's multi-year accessibility plan | none |
| READINESS_THRESHOLD | people a group needs before anything is shown; never below 11 | 11 |
| READINESS_SECOND_FACTOR | ``required`` or ``optional`` (see staff/) | required with https |
| READINESS_OIDC_SERVER_URL | by which staff may sign in: issuer, or ``…/.well-known/…`` | none |
| READINESS_OIDC_CLIENT_ID | the name of this service there | none |
| READINESS_OIDC_CLIENT_SECRET | its secret there | none |
| READINESS_OIDC_NAME | what the button says | the host of the server |
| READINESS_OIDC_SCOPES | what is asked of it, with spaces | openid |
| READINESS_OIDC_ACR_VALUES | levels of assurance, one of which the token must tell | any |
| READINESS_JOURNAL_DAYS | days the journal of what staff did is kept; 180 at least | 365 |
| READINESS_STATIC | folder of the static files, for a proxy | static/ in READINESS_DATA |
| READINESS_THREADS | threads of each server process, as gunicorn.py reads them too | 4 |
| READINESS_POOL | most connections of each process to PostgreSQL | threads + 2 |
| READINESS_LOG | ``text``, or ``json``: one object a line, and a line a request | text |
| READINESS_KEPT_UNFINISHED_DAYS | days an unfinished questionnaire is kept, 7 to 90 | 30 |
| READINESS_KEPT_FINISHED_MONTHS | months a finished one is kept, 3 to 36 | 24 |
| READINESS_BACKUPS_KEPT | days a backup is kept, 7 to 90 | 30 |
| READINESS_STATEMENT_SECONDS | how long PostgreSQL may take over one statement of a page | 5 |
| READINESS_DEBUG | Django's debug pages; never on a public address | off |
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

from .audit import audit_told, plan_told
from .database import postgresql_options
from .oidc import oidc_told
from .retention import basis_told, kept_told
from .secret_key import kept_secret_key
from .security_contact import security_contact_told

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DATA_DIR = Path(env("READINESS_DATA", default=str(BASE_DIR / "var"))).resolve()
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

DEBUG = env.bool("READINESS_DEBUG", default=False)
SECRET_KEY = env("READINESS_SECRET_KEY", default="") or kept_secret_key(DATA_DIR)

PUBLIC_ADDRESS = env("READINESS_ADDRESS", default="http://127.0.0.1:8000").rstrip("/")
PUBLIC_HOST = urlsplit(PUBLIC_ADDRESS).hostname or "127.0.0.1"
HTTPS = PUBLIC_ADDRESS.startswith("https://")
ALLOWED_HOSTS = [
    PUBLIC_HOST,
    "127.0.0.1",
    "localhost",
    "[::1]",
    *env.list("READINESS_HOSTS", default=[]),
]
if HTTPS:
    CSRF_TRUSTED_ORIGINS = [PUBLIC_ADDRESS]
    SECURE_SSL_REDIRECT = True
    # Asked by a machine beside this one, which speaks no https.
    SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("READINESS_HSTS_SUBDOMAINS", default=False)
    # Whether subdomains follow, and preloading, is for whoever owns the domain to decide.
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# Whose addresses may be believed: the last so many of X-Forwarded-For.
TRUSTED_PROXIES = env.int("READINESS_PROXIES", default=1 if HTTPS else 0)
if HTTPS and TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTROLLER = env("READINESS_CONTROLLER", default="")
CONTACT = env("READINESS_CONTACT", default="")
SECURITY_CONTACT = security_contact_told(env("READINESS_SECURITY_CONTACT", default=""))
LEGAL_BASIS = basis_told(env("READINESS_LEGAL_BASIS", default=""))
ACCESSIBILITY_AUDIT = audit_told(
    env("READINESS_AUDITED_ON", default=""),
    env("READINESS_AUDITED_BY", default=""),
    env("READINESS_AUDIT_RATE", default=""),
)
ACCESSIBILITY_PLAN = plan_told(env("READINESS_ACCESSIBILITY_PLAN", default=""))
DISCLOSURE_THRESHOLD = env.int("READINESS_THRESHOLD", default=11)
# The French authority asks for six months to a year (CNIL, deliberation 2021-122).
JOURNAL_DAYS = max(180, env.int("READINESS_JOURNAL_DAYS", default=365))
RETENTION = kept_told(
    env("READINESS_KEPT_UNFINISHED_DAYS", default=""),
    env("READINESS_KEPT_FINISHED_MONTHS", default=""),
    env("READINESS_BACKUPS_KEPT", default=""),
)

INSTALLED_APPS = [
    "assessments",
    "crispy_forms",
    "crispy_bootstrap5",
    "assessments.staff.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "django_tasks_db",
    "allauth",
    "allauth.account",
    "allauth.mfa",
]

# Headers come first, so that refusals have them too.
MIDDLEWARE = [
    "readiness.log_lines.request_line_middleware",
    "readiness.headers.headers_middleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "readiness.methods.methods_middleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "readiness.headers.bounds_middleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "assessments.staff.sessions.ended_in_time",
    "allauth.account.middleware.AccountMiddleware",
    "assessments.journal.refusals_middleware",
    "assessments.wall.wall_middleware",
]

ROOT_URLCONF = "readiness.urls"
WSGI_APPLICATION = "readiness.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "assessments.context_processors.service",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"
CRISPY_FAIL_SILENTLY = False

# What is acknowledged is on disk: synchronous=FULL, and one writer at a time from BEGIN on. What is
# erased leaves no trace in the file's free pages: secure_delete=ON.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 10,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
        "PRAGMA secure_delete=ON;"
    ),
}
DATABASE: dict[str, Any] = (
    env.db("DATABASE_URL")
    if env("DATABASE_URL", default="")
    else {"ENGINE": "django.db.backends.sqlite3", "NAME": DATA_DIR / "db.sqlite3"}
)
DATABASE.setdefault("OPTIONS", {})
if DATABASE["ENGINE"] == "django.db.backends.sqlite3":
    DATABASE["OPTIONS"] |= SQLITE_OPTIONS
    # Opening the file costs more than all that a page asks of it. Not for ever: a file that has
    # been put in its place is to be seen.
    DATABASE["CONN_MAX_AGE"] = 60
    # A file, as in earnest: the tests' server writes from several threads.
    DATABASE["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}
else:
    DATABASE["ENGINE"] = "readiness.postgresql"
    DATABASE["OPTIONS"] = (
        postgresql_options(
            # Pages alone (wsgi.py) may not wait: a migration takes the time it takes.
            patience=env.int("READINESS_STATEMENT_SECONDS", default=0),
            # A connection for each thread, one for the question whether all is well, one to spare.
            most=env.int("READINESS_POOL", default=env.int("READINESS_THREADS", default=4) + 2),
        )
        | DATABASE["OPTIONS"]
    )
    DATABASE["CONN_HEALTH_CHECKS"] = True
DATABASES = {"default": DATABASE}
# Shared by all processes and machines: one-time codes that were used, tries that were made.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "readiness_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
# Long work waits in the database for `manage.py worker`.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Sign-in of staff: see assessments/staff/ ---

# Long rather than odd (NIST SP 800-63B-4): a phrase is as good as it is long.
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "assessments.staff.passwords.NotOurWordsValidator"},
]
PASSWORD_RESET_TIMEOUT = 24 * 3600  # of the link by which somebody chooses a first password
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index"

SECOND_FACTOR = env("READINESS_SECOND_FACTOR", default="required" if HTTPS else "optional")
if SECOND_FACTOR not in ("required", "optional"):
    raise ImproperlyConfigured("READINESS_SECOND_FACTOR is “required” or “optional”.")

ACCOUNT_ADAPTER = "assessments.staff.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = False  # assessments.staff.attempts counts instead, once for all processes
MFA_RATE_LIMITS = False
MFA_ADAPTER = "assessments.staff.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn"]  # recovery codes are assessments.staff.recovery’s
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1  # steps of 30 s that the clock of a phone may be off
# Browsers know passkeys over https and, to try them out, on http://localhost.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS

OIDC = oidc_told(env)
OIDC_ACR_VALUES = OIDC.acr_values if OIDC else ()
if OIDC:
    INSTALLED_APPS += ["allauth.socialaccount", "allauth.socialaccount.providers.openid_connect"]
    SOCIALACCOUNT_ADAPTER = "assessments.staff.oidc.IdentityAdapter"
    SOCIALACCOUNT_STORE_TOKENS = False
    SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
    SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
    SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [OIDC.app()]}}

# --- Languages ---

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", _("French")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "readiness.formats"
TIME_ZONE = "Europe/Paris"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = Path(env("READINESS_STATIC", default=str(DATA_DIR / "static"))).resolve()
if STATIC_ROOT.is_relative_to(DATA_DIR):
    STATIC_ROOT.mkdir(exist_ok=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# “__Host-”: set over https by this very host, for all of it, and by nobody else.
_HOST = "__Host-" if HTTPS else ""

SESSION_ENGINE = "readiness.sessions"
# A ward’s computer is shared: the session ends with the browser, or four hours after it began.
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_AGE = 4 * 3600
SESSION_SAVE_EVERY_REQUEST = False
SESSION_COOKIE_NAME = f"{_HOST}readiness_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_NAME = f"{_HOST}csrftoken"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "assessments.views.errors.stale_form"
LANGUAGE_COOKIE_NAME = f"{_HOST}django_language"
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
MESSAGES_COOKIE_NAME = f"{_HOST}messages"
MESSAGE_STORAGE = "readiness.messages.Messages"

X_FRAME_OPTIONS = "DENY"
# No other site learns an address of ours. Not “no-referrer”: with it, browsers send no origin with
# a form (“Origin: null”), by which Django tells our forms from another site’s.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
# An upload stays in memory. What is larger is not kept at all, and the page that asked for it
# says so: with this handler alone, nothing that is sent reaches the disk.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 5_200_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

# A log line names neither a person, a code nor an answer.
LOG = env("READINESS_LOG", default="text")
if LOG not in ("text", "json"):
    raise ImproperlyConfigured(f"READINESS_LOG is text or json, not {LOG!r}.")
LOG_AS_JSON = LOG == "json"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"()": "readiness.log_lines.TextLine"},
        "json": {"()": "readiness.log_lines.JsonLine"},
    },
    "filters": {"without_codes": {"()": "readiness.logs.WithoutCodes"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG,
            "filters": ["without_codes"],
        }
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        # A mistyped address or a form to correct is no event; a failure of ours is.
        "django.request": {"level": "ERROR"},
        "django.security.RequestDataTooBig": {"level": "CRITICAL"},
        "django.security.TooManyFieldsSent": {"level": "CRITICAL"},
        "fontTools": {"level": "ERROR"},
        "readiness.requests": {"level": "INFO" if LOG_AS_JSON else "WARNING"},
    },
}
