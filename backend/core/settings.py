"""Django's settings, made from the environment by `common.environment`.

With nothing configured this is the embedded footprint: one process, SQLite and media under SYNC2GEAR_DATA.
DATABASE_URL and REDIS_URL make it the production one. `manage.py check` explains mixes that cannot work.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv
from kombu import Queue

from common import environment
from common.data_folder import generated_secret, prepare_folder
from common.logs import FOR_MACHINES
from core import api_description, web_files
from core.admin_theme import UNFOLD as UNFOLD  # the theme reads it here
from core.periodic import CHORES, JOBS, TICKS, beat_schedule

BASE_DIR = Path(__file__).resolve().parent.parent
PROJECT_ROOT = BASE_DIR.parent
load_dotenv(PROJECT_ROOT / ".env")
load_dotenv(BASE_DIR / ".env")

try:
    CONFIG = environment.read(os.environ, project_root=PROJECT_ROOT)
    if CONFIG.embedded:
        prepare_folder(CONFIG.data_dir)
except environment.ConfigurationError as error:
    raise ImproperlyConfigured(str(error)) from None

DATA_DIR = CONFIG.data_dir
DEBUG = CONFIG.debug
EMBEDDED = CONFIG.embedded
JOBS_EMBEDDED = not CONFIG.broker_url
TRUSTED_PROXIES = CONFIG.trusted_proxies
PUBLIC_URL = CONFIG.public_url
METRICS_TOKEN = CONFIG.metrics_token

if EMBEDDED:
    SECRET_KEY = CONFIG.secret_key or generated_secret(DATA_DIR / "secret_key")
    ENCRYPTION_KEYS = CONFIG.encryption_keys or (
        generated_secret(DATA_DIR / "encryption_key", kind="fernet"),
    )
else:
    SECRET_KEY = CONFIG.secret_key
    ENCRYPTION_KEYS = CONFIG.encryption_keys
    if not SECRET_KEY:
        raise ImproperlyConfigured("SECRET_KEY is required in production: set it to a long random text.")

SECRET_KEY_FALLBACKS = list(CONFIG.secret_key_fallbacks)

ALLOWED_HOSTS = list(CONFIG.allowed_hosts)

INSTALLED_APPS = [
    # Before the admin, whose templates it replaces. The basic configuration leaves the choice of the site to ours.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "core.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework_simplejwt",
    "rest_framework_simplejwt.token_blacklist",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "channels",
    "core",
    "common",
    "audit",
    "ai_config",
    "clients",
    "users",
    "webhooks",
    "zones",
    "devices",
    "live",
    "music",
    "announcements",
    "events",
    "playlists",
    "schedules",
    "plans",
]

MIDDLEWARE = [
    "core.headers.HeadersMiddleware",
    "core.probes.ProbesMiddleware",
    "core.headers.HttpsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "core.static_files.StaticFilesMiddleware",
    "common.middleware.RequestContextMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "common.middleware.PagesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "common.middleware.AdminScopeMiddleware",
]

ROOT_URLCONF = "core.urls"
ASGI_APPLICATION = "core.asgi.application"
WSGI_APPLICATION = "core.wsgi.application"
AUTH_USER_MODEL = "users.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "core" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- database --------------------------------------------------------------------------------------------

_database: dict[str, Any] = dict(dj_database_url.parse(CONFIG.database_url))
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728;",
    }
else:
    # Under ASGI every request has a thread of its own; without a pool each would connect anew.
    _database["OPTIONS"] = _database.get("OPTIONS", {}) | {
        "pool": {"min_size": 2, "max_size": 20, "timeout": 10}
    }
    _database["CONN_MAX_AGE"] = 0
DATABASES = {"default": _database}

# --- messages, cache, jobs -------------------------------------------------------------------------------

REDIS_URL = CONFIG.redis_url
CACHES: dict[str, dict[str, Any]]
if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
    }
    # Without these a Redis that takes connections and answers nobody would hold every request for ever.
    _patience = {"socket_timeout": 2, "socket_connect_timeout": 2}
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": _patience,
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    }

CELERY_BROKER_URL = CONFIG.broker_url or None
CELERY_RESULT_BACKEND = CONFIG.result_backend or None
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 5}  # as above
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_TIMEZONE = "UTC"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 600
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_QUEUES = [Queue(name, routing_key=name) for name in (JOBS, TICKS, CHORES)]
CELERY_BEAT_SCHEDULE = beat_schedule()
CELERY_BEAT_SCHEDULER = "core.beat:SteadyScheduler"

# --- media and static files ------------------------------------------------------------------------------

MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "/media/"
STATIC_ROOT = BASE_DIR / "staticfiles"
if EMBEDDED:
    STATIC_ROOT = DATA_DIR / "static"
    STATIC_ROOT.mkdir(exist_ok=True)
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = EMBEDDED

WEB_ROOT = PROJECT_ROOT / "web"
WEB_FOLDER = web_files.folder_name(WEB_ROOT, changing=DEBUG)
STATICFILES_DIRS = [
    (f"{WEB_FOLDER}/{part}", str(WEB_ROOT / part)) for part in web_files.PARTS if (WEB_ROOT / part).is_dir()
]

MAX_UPLOAD_BYTES = CONFIG.max_upload_bytes
MAX_MUSIC_MS = CONFIG.max_music_minutes * 60_000
MAX_ANNOUNCEMENT_MS = CONFIG.max_announcement_minutes * 60_000

STORAGES: dict[str, dict[str, Any]] = {
    "local": {"BACKEND": "common.storages.LocalMedia"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if EMBEDDED
        else "core.static_files.StaticFilesStorage"
    },
}
USE_S3 = CONFIG.use_s3
if CONFIG.s3 is not None:
    STORAGES["s3"] = {
        "BACKEND": "common.s3.S3Media",
        "OPTIONS": {"s3": CONFIG.s3, "longest_play_s": MAX_MUSIC_MS // 1000},
    }
STORAGES["default"] = STORAGES.get("s3", {}) if USE_S3 else STORAGES["local"]
if CONFIG.media_move_from:
    STORAGES["default"] = {
        "BACKEND": "common.storages.MovingMedia",
        "OPTIONS": {"to": "s3" if USE_S3 else "local", "source": CONFIG.media_move_from},
    }

MEDIA_ACCEL_PREFIX = CONFIG.media_accel_prefix
RATE_LIMITS = CONFIG.rate_limits
MAX_SPEECH_CHARACTERS = 5000
WEBHOOK_NETWORKS = CONFIG.webhook_networks
WEBHOOK_OFFLINE_AFTER = timedelta(seconds=CONFIG.webhook_offline_after_s)
KEEP = CONFIG.keep
PIPER_VOICES = CONFIG.piper_voices
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o640

# --- API -------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ("users.authentication.BearerAuthentication",),
    "DEFAULT_PERMISSION_CLASSES": ("rest_framework.permissions.IsAuthenticated",),
    "DEFAULT_PAGINATION_CLASS": "common.pagination.Pages",
    "PAGE_SIZE": 50,
    "DEFAULT_FILTER_BACKENDS": (
        "django_filters.rest_framework.DjangoFilterBackend",
        "rest_framework.filters.SearchFilter",
        "rest_framework.filters.OrderingFilter",
    ),
    "DEFAULT_RENDERER_CLASSES": ("common.rendering.JSONRenderer",),
    "DEFAULT_PARSER_CLASSES": (
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ),
    "DEFAULT_SCHEMA_CLASS": "common.openapi.HouseSchema",
    # `?format=` is for our own use (exports); what an answer is made as, `Accept` says.
    "URL_FORMAT_OVERRIDE": None,
    "EXCEPTION_HANDLER": "common.errors.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=30),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "CHECK_REVOKE_TOKEN": True,
    "UPDATE_LAST_LOGIN": False,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "sync2gear",
    "DESCRIPTION": api_description.OVERVIEW,
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.1",
    "TAGS": api_description.TAGS,
    "EXTENSIONS_ROOT": {"x-tagGroups": api_description.TAG_GROUPS},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "webhooks.openapi.add_webhooks",
        "core.examples.add_examples",
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/",
    "DEFAULT_GENERATOR_CLASS": "common.openapi.ScopedSchemaGenerator",
    "ENUM_NAME_OVERRIDES": {
        "SoundStatusEnum": "common.media_fields.Readiness",
        "DeviceStatusEnum": "devices.models.Device.Status",
        "AccountStatusEnum": "users.models.User.Status",
        "PlayStatusEnum": "events.models.PlayEvent.Status",
        "TypeEnum": "announcements.models.Announcement.Type",
        "WebhookEventEnum": "webhooks.models.TYPE_CHOICES",
        "WebhookDeliveryStatusEnum": "webhooks.models.WebhookDelivery.Status",
        "AIKindEnum": "ai_config.adapters.catalogue.KINDS",
        "ClientStatusEnum": "clients.models.Client.Status",
        "PlayPriorityEnum": "events.domain.ledger.PRIORITY_CHOICES",
        "OrderPriorityEnum": "events.domain.ledger.ORDER_PRIORITY_CHOICES",
    },
}

CORS_ALLOWED_ORIGINS = list(CONFIG.cors_origins)
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_HEADERS = [
    *default_headers,
    "idempotency-key",
    "if-match",
    "if-none-match",
    "if-range",
    "range",
    "x-request-id",
]
CORS_EXPOSE_HEADERS = [
    "X-Request-ID",
    "ETag",
    "Idempotency-Replayed",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "Accept-Ranges",
    "Content-Range",
]
CSRF_TRUSTED_ORIGINS = list(CONFIG.csrf_trusted_origins)

# --- security --------------------------------------------------------------------------------------------

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "users.passwords.ContextWordsValidator"},
]

SESSION_COOKIE_AGE = 12 * 3600  # a working day in the admin; the API has tokens instead
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True  # the admin's forms carry it themselves
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # no cookie of their own
if TRUSTED_PROXIES:
    # Whoever reaches us without a proxy of ours may write any header.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
if CONFIG.https:
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    # No other host of the domain can set a cookie of such a name (RFC 6265bis §4.1.3.2).
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
SILENCED_SYSTEM_CHECKS = [
    "security.W021",  # preloading binds a whole domain for years: that is for its owner to ask for, not for us
]

# --- the rest --------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if CONFIG.mail.host
    else "django.core.mail.backends.console.EmailBackend"
)
EMAIL_HOST = CONFIG.mail.host
EMAIL_PORT = CONFIG.mail.port
EMAIL_HOST_USER = CONFIG.mail.user
EMAIL_HOST_PASSWORD = CONFIG.mail.password
EMAIL_USE_TLS = CONFIG.mail.use_tls
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = CONFIG.mail.sender

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "json": {"()": "common.logs.JsonFormatter"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "json" if CONFIG.log_json else "plain"}
    },
    "root": {"handlers": ["console"], "level": CONFIG.log_level},
    "loggers": {
        "django.request": {"level": "ERROR"},
        # A foreign Host header is answered with 400; logging each would let anybody fill the log.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "celery": {"level": "INFO"},
        # What comes back every second or two need not be told each time; what fails is.
        "celery.beat": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        # It would log whole URLs, which may hold what lets one in.
        "httpx": {"level": "WARNING"},
        **{name: {"level": "INFO" if CONFIG.log_json else "WARNING"} for name in FOR_MACHINES},
    },
}
