"""Make this checkout a demonstration: database, instrument, cohort with answers, trainer."""

from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.urls import reverse
from django.utils import translation

from assessments.demonstration import USERNAME, demonstration

SEEDS = Path(settings.BASE_DIR) / "seeds" / "ai-readiness"


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args, **options) -> None:
        call_command("migrate", verbosity=0)
        call_command("load_instrument", SEEDS, stdout=self.stdout)
        with translation.override(settings.LANGUAGE_CODE):
            made = demonstration()
        address = settings.PUBLIC_ADDRESS
        link = reverse("cohort", kwargs={"access": made.cohort.code})
        self.stdout.write(f"\n  Clinicians   {address}/\n  Demo cohort  {address}{link}")
        self.stdout.write(f"  Trainer      {address}{reverse('admin:index')}   user: {USERNAME}")
        if made.password:
            self.stdout.write(
                f"               password: {made.password}   (demonstration only, shown once;\n"
                f"               another: .venv/bin/python manage.py changepassword {USERNAME})"
            )
        self.stdout.write("")
