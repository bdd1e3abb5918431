from collections import defaultdict

import msgspec
from django.db import migrations

from assessments.cohort import disclosure


def pool(apps, schema_editor):
    """What was published before there were pools is pooled, as it would be today.

    It reads releases and writes pools alone, in a migration of its own: nobody who answers waits.
    Where there is a pool, everything is pooled already.
    """
    Phase = apps.get_model("assessments", "Phase")
    Pool = apps.get_model("assessments", "Pool")
    Release = apps.get_model("assessments", "Release")
    if Pool.objects.exists():
        return
    alike = defaultdict(list)
    published = Phase.objects.filter(releases__isnull=False).distinct()
    for phase in published.select_related("cohort").order_by("pk"):
        alike[phase.version_id, phase.form, phase.kind, phase.cohort.simulated].append(phase.pk)
    for (version, form, kind, simulated), phases in alike.items():
        sums = ()
        for phase in phases:
            documents = Release.objects.filter(phase=phase).values_list("document", flat=True)
            sums = disclosure.added(sums, map(disclosure.decode, map(bytes, documents)))
        Pool.objects.create(
            version_id=version,
            form=form,
            kind=kind,
            simulated=simulated,
            document=msgspec.json.encode(sums, order="sorted"),
            phases=len(phases),
        )


class Migration(migrations.Migration):
    dependencies = [("assessments", "0005_journal")]

    operations = [migrations.RunPython(pool, migrations.RunPython.noop)]
