"""A Django project for one survey package, as ``startproject`` writes it, in production.

``BENCH_RIVAL`` names the package, ``BENCH_DATABASE`` the database: an address, or the path of a
SQLite file, which gets the pragmas that ours has for what is acknowledged to be on disk. Nothing is
tuned but that connections to PostgreSQL persist, as Django's documentation advises.
"""

import os
from urllib.parse import urlsplit

RIVAL = os.environ["BENCH_RIVAL"]

SECRET_KEY = "of no service, and long enough for Django not to warn of it"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    *{"djf_surveys": ["djf_surveys", "tinymce"], "survey": ["survey"]}[RIVAL],
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                *{"djf_surveys": ["djf_surveys.context_processors.surveys_context"]}.get(RIVAL, []),
            ]
        },
    }
]
WSGI_APPLICATION = "wsgi.application"

_address = urlsplit(os.environ["BENCH_DATABASE"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _address.path.lstrip("/"),
        "USER": _address.username or "",
        "PASSWORD": _address.password or "",
        "HOST": _address.hostname or "",
        "PORT": str(_address.port or ""),
        "CONN_MAX_AGE": 600,
    }
    if _address.scheme
    else {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": _address.path,
        "CONN_MAX_AGE": 60,  # as ours
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 10,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
            ),
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "fr"
TIME_ZONE = "Europe/Paris"
USE_TZ = True
STATIC_URL = "static/"
