"""Print the RGAA grid as the Markdown page kept in readiness/docs/ACCESSIBILITY.md."""

from django.core.management.base import BaseCommand

from assessments import rgaa


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args, **options) -> None:
        self.stdout.write(rgaa.markdown(rgaa.grid()), ending="")
