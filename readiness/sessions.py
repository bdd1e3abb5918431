"""Django's sessions, in the database, looked up by SQL that is written once."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from assessments.lookups import Lookup

_session = Lookup(Session.objects.all())


class SessionStore(DatabaseStore):
    def load(self) -> dict[str, Any]:
        found = _session(self.session_key)
        if found is None or found.expire_date <= timezone.now():
            self._session_key = None
            return {}
        data: dict[str, Any] = self.decode(found.session_data)
        return data
