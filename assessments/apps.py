from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class AssessmentsConfig(AppConfig):
    name = "assessments"
    verbose_name = _("Readiness")

    def ready(self) -> None:
        from . import checks as own_checks  # noqa: F401  registered by its import
        from . import frozen
        from .roles import keep_groups
        from .staff import receivers  # noqa: F401  connected by its import
        from .upkeep import check_upkeep

        post_migrate.connect(keep_groups, sender=self)
        pre_migrate.connect(frozen.before_migrating, sender=self)
        post_migrate.connect(frozen.after_migrating, sender=self)
        checks.register(frozen.check, checks.Tags.database)
        checks.register(check_upkeep, checks.Tags.database)
