"""What is to be said on the next page, in a cookie that is named like the others."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class NamedCookie(CookieStorage):
    cookie_name = settings.MESSAGES_COOKIE_NAME


class Messages(FallbackStorage):
    storage_classes = (NamedCookie, SessionStorage)
