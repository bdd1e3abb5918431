from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AssessmentsConfig(AppConfig):
    name = "assessments"
    verbose_name = _("Readiness")

    def ready(self) -> None:
        from .roles import keep_groups
        from .upkeep import check_upkeep

        post_migrate.connect(keep_groups, sender=self)
        checks.register(check_upkeep, checks.Tags.database)
