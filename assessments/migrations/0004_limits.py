from django.core.management import call_command
from django.db import migrations, models


def make_cache_table(apps, schema_editor):
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


def drop_cache_table(apps, schema_editor):
    schema_editor.execute("DROP TABLE IF EXISTS readiness_cache")


class Migration(migrations.Migration):
    dependencies = [("assessments", "0003_instruments")]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                (
                    "key",
                    models.BinaryField(max_length=16, primary_key=True, serialize=False),
                ),
                ("count", models.PositiveIntegerField(default=0)),
                ("until", models.BigIntegerField(db_index=True)),
            ],
        ),
        # What the cache keeps is shared by all processes, and so lies in the database.
        migrations.RunPython(make_cache_table, drop_cache_table),
    ]
