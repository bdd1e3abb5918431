"""Validate a folder of YAML, store it, and publish it as a version that never changes."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from assessments.instrument.loading import InstrumentError, load
from assessments.instruments import PublicationError, publish


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser) -> None:
        parser.add_argument(
            "path", type=Path, help="folder of an instrument, such as seeds/ai-readiness"
        )

    def handle(self, *args, path: Path, **options) -> None:
        try:
            version, is_new = publish(load(path))
        except InstrumentError as refused:
            findings = "\n".join(finding.render(_) for finding in refused.findings)
            raise CommandError(
                f"{findings}\n{path} is refused whole ({len(refused.findings)} findings); "
                "nothing was stored."
            ) from None
        except PublicationError as refused:
            raise CommandError(str(refused)) from None
        state = "is published" if is_new else "was already published: nothing has changed"
        self.stdout.write(f"{version} {state}.")
