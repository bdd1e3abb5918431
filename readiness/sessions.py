"""Django's sessions, in the database, looked up by SQL that is written once."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import get_random_string

from assessments.lookups import Lookup

_session = Lookup(Session.objects.all())
_KEY = re.compile(r"[a-z0-9]{32}")
"""As Django makes them."""


class SessionStore(DatabaseStore):
    def _validate_session_key(self, key: str | None) -> bool:
        """What a cookie holds that cannot be a key is none: no query is made of it, which
        PostgreSQL would refuse where it holds a NUL."""
        return bool(key and _KEY.fullmatch(key))

    def load(self) -> dict[str, Any]:
        found = _session(self.session_key)
        if found is None or found.expire_date <= timezone.now():
            self._session_key = None
            return {}
        data: dict[str, Any] = self.decode(found.session_data)
        return data

    def _get_new_session_key(self) -> str:
        """Whether it is free need not be asked: the row is added under it, or another key taken."""
        return get_random_string(32, VALID_KEY_CHARS)

    def delete(self, session_key: str | None = None) -> None:
        """Without reading before what is deleted."""
        if key := session_key or self.session_key:
            Session.objects.filter(pk=key).delete()
