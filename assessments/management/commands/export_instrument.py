"""Write a published instrument as a folder of YAML, from which load_instrument makes it again."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from assessments.instrument.document import Instrument
from assessments.instrument.loading import InstrumentError, loads
from assessments.instrument.writing import dumps
from assessments.instruments import instrument_of
from assessments.models import InstrumentVersion


class Command(BaseCommand):
    help = __doc__

    def create_parser(self, prog_name: str, subcommand: str, **kwargs) -> CommandParser:
        # --version is the instrument's here, not Django's.
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", help="the instrument's code, such as ai-readiness")
        parser.add_argument("folder", type=Path, help="where to write it: a new or empty folder")
        parser.add_argument("--version", help="which version; the last published, unless told")

    def handle(self, *args, code: str, folder: Path, version: str | None, **options) -> None:
        published = InstrumentVersion.objects.defer("document").filter(code=code)
        chosen = published.filter(version=version) if version else published
        found = chosen.order_by("-published_on", "-pk").first()
        if found is None:
            known = ", ".join(map(str, published.order_by("published_on", "pk")))
            raise CommandError(
                f"No such version is published. Of {code}, there is: {known or 'nothing'}."
            )
        instrument = instrument_of(found.digest)
        files = dumps(instrument)
        self._write(files, folder)
        self.stdout.write(f"{found} is written in {folder} ({len(files)} files).")
        self._read_back(instrument, files)

    def _write(self, files: dict[str, str], folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                # What lay there would be read with it.
                raise CommandError(f"{folder} is not empty: nothing was written.")
            for name, content in files.items():
                path = folder / name
                path.parent.mkdir(exist_ok=True)
                path.write_text(content, encoding="utf-8", newline="\n")
        except OSError as error:
            raise CommandError(f"{folder} cannot be written: {error.strerror}.") from None

    def _read_back(self, instrument: Instrument, files: dict[str, str]) -> None:
        """Warn of what today's rules, stricter than those it was published under, would refuse."""
        try:
            again = loads(files)
        except InstrumentError as refused:
            self.stderr.write(f"{refused}\nThe rules have changed since: mend this to load it.")
        else:
            assert again == instrument
