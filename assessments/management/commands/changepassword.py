"""Django's command, whose changes the journal keeps too."""

from __future__ import annotations

import getpass

from django.contrib.auth.management.commands import changepassword
from django.contrib.auth.models import User
from django.db import transaction

from assessments import accounts


class Command(changepassword.Command):
    @transaction.atomic
    def handle(self, *args, **options) -> str | None:
        said: str | None = super().handle(*args, **options)
        username = options["username"] or getpass.getuser()
        accounts.password_chosen(User.objects.get(username=username), None)
        return said
