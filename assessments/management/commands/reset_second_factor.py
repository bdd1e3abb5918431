"""For the one whom nobody in the admin can help: the last operator who lost a second factor."""

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from assessments import accounts


class Command(BaseCommand):
    help = "Take away every second factor of an account: passkeys, app and recovery codes."

    def add_arguments(self, parser) -> None:
        parser.add_argument("username")

    def handle(self, *, username: str, **options) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"no account is called {username}")
        removed = accounts.reset_second_factors(user, None)
        self.stdout.write(f"{username}: {removed} taken away")
