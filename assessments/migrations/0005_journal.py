from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("assessments", "0004_limits"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="event",
            options={
                "ordering": ("-pk",),
                "verbose_name": "event",
                "verbose_name_plural": "journal",
            },
        ),
        migrations.AlterField(
            model_name="event",
            name="action",
            field=models.CharField(
                choices=[
                    ("published", "instrument version published"),
                    ("retired", "instrument version retired"),
                    ("uploaded", "draft of the instrument uploaded"),
                    ("discarded", "draft of the instrument discarded"),
                    ("calibrated", "calibration published"),
                    ("created", "cohort created"),
                    ("changed", "cohort changed"),
                    ("closed", "phase closed"),
                    ("paused", "joining paused"),
                    ("resumed", "joining resumed"),
                    ("appointed", "trainer added"),
                    ("left", "trainer removed"),
                    ("exported", "results exported"),
                    ("retried", "failed publication or export asked for again"),
                    ("study-opened", "standard setting opened"),
                    ("judge-appointed", "judge appointed"),
                    ("study-moved", "standard setting moved on"),
                    ("study-noted", "discussion of a standard setting noted"),
                    ("study-exported", "standard setting exported"),
                    ("study-adopted", "cut scores adopted"),
                    ("signed-in", "signed in"),
                    ("sign-in-refused", "sign-in refused: wrong password"),
                    ("code-refused", "sign-in refused: wrong second factor"),
                    ("identity-refused", "sign-in refused by another service"),
                    ("locked-out", "locked for a while after wrong tries"),
                    ("signed-out", "signed out"),
                    ("account-created", "account created"),
                    ("account-changed", "account changed"),
                    ("account-closed", "account deactivated"),
                    ("account-reopened", "account activated again"),
                    ("role-given", "role given"),
                    ("role-taken", "role taken away"),
                    ("password-reset", "password taken away, link for a new one made"),
                    ("password-changed", "password changed"),
                    ("factor-added", "second factor added"),
                    ("factor-removed", "second factor removed"),
                    ("factors-reset", "second factors taken away"),
                    ("sessions-ended", "sessions ended"),
                    ("identity-linked", "sign-in by another service linked"),
                    ("identity-unlinked", "sign-in by another service unlinked"),
                    ("judged", "step of a judge kept"),
                    ("refused", "access refused"),
                    ("journal-exported", "journal exported"),
                    ("purged", "data past its retention deleted"),
                ],
                max_length=20,
                verbose_name="action",
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="about",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=60
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["at", "id"], name="journal_by_time"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["actor", "at", "id"], name="journal_by_person"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["action", "at", "id"], name="journal_by_action"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("about", ""), _negated=True),
                fields=["about", "at", "id"],
                name="journal_by_object",
            ),
        ),
    ]
