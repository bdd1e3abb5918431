"""Print the inventory of data, as it stands in readiness/docs/fr/REGISTRE.md, or write it there."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from assessments.inventory import markdown

BEGIN, END = "<!-- inventaire : début -->\n", "<!-- inventaire : fin -->"


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser) -> None:
        parser.add_argument("--into", type=Path, metavar="FILE", help="between its two marks")

    def handle(self, *args, into: Path | None, **options) -> None:
        if into is None:
            self.stdout.write(markdown())
            return
        before, begin, rest = into.read_text(encoding="utf-8").partition(BEGIN)
        _old, end, after = rest.partition(END)
        if not (begin and end):
            raise CommandError(f"{into} lacks the marks of the inventory.")
        into.write_text(f"{before}{BEGIN}\n{markdown()}\n{END}{after}", encoding="utf-8")
