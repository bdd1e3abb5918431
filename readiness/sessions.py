"""Django's sessions, in the database, looked up by SQL that is written once."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.utils import timezone

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
