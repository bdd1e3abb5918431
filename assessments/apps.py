from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AssessmentsConfig(AppConfig):
    name = "assessments"
    verbose_name = _("Readiness")

    def ready(self) -> None:
        from . import checks  # noqa: F401  (registers them)
        from .roles import keep_groups

        post_migrate.connect(keep_groups, sender=self)
