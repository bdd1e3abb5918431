"""Who may do what in the admin.

| who | sees | does |
|---|---|---|
| trainer | their own cohorts, and the releases of those | all there is to do to these |
| author | versions of the questionnaire, drafts, figures | uploads, publishes, retires versions |
| | standard settings, their judges, estimates without names | runs them, adopts cut scores |
| judge | the panels they sit in: situations, their own estimates | estimates, in each round |
| operator | accounts, the journal; of groups, the names in it | creates and deactivates accounts, |
| | | gives these roles, takes a lost password or second factor away |
| superuser | names, dates, counts of all cohorts, the journal | what operators and authors do |

A trainer makes cohorts, plans, pauses and closes phases, exports what they published, adds other
trainers to a cohort and leaves it to them. All of it belongs to a cohort's own trainers: a
superuser who must read a group's results appoints themselves first, and the journal keeps it.
An operator touches no superuser and makes none: that is for ``manage.py createsuperuser``. Who
appoints themselves to another role does it in the journal's sight. A new account may do nothing.
An author does not judge in a panel, and nobody sees a judge's name beside an estimate.
Nobody reads a sitting: it has no admin, and behind the wall none of these pages could.
"""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import AbstractUser, Group, Permission

TRAINERS = "Formateurs"
AUTHORS = "Auteurs du questionnaire"
JUDGES = "Juges"
OPERATORS = "Exploitants"
PERMISSIONS = {
    TRAINERS: ("add_cohort", "change_cohort", "view_cohort", "add_phase", "change_phase"),
    AUTHORS: (
        "add_instrumentversion",
        "change_instrumentversion",
        "view_instrumentversion",
        "add_standardstudy",
        "change_standardstudy",
        "view_standardstudy",
    ),
    JUDGES: ("add_estimate",),
    OPERATORS: ("view_event", "add_user", "change_user", "view_user"),
}
"""What each group may do, by the group's name as the operator sees it in the admin."""


def keep_groups(app_config, using: str, apps=installed, **kwargs) -> None:
    """After each migration: the groups exist and have their permissions."""
    try:
        apps.get_model("auth", "Group"), apps.get_model("assessments", "Estimate")
    except LookupError:
        return  # migrated to a state that does not have them
    # The permissions themselves may be made by a receiver that comes after this one.
    for config in (app_config, installed.get_app_config("auth")):
        create_permissions(config, verbosity=0, using=using, apps=apps)
    for name, codenames in PERMISSIONS.items():
        group, _created = Group.objects.using(using).get_or_create(name=name)
        group.permissions.add(
            *Permission.objects.using(using).filter(
                content_type__app_label__in=(app_config.label, "auth"), codename__in=codenames
            )
        )


def make_trainer(user: AbstractUser) -> None:
    """Let a user sign in to the trainers' space."""
    _join(user, TRAINERS)


def make_author(user: AbstractUser) -> None:
    """Let a user sign in, and carry the questionnaire on."""
    _join(user, AUTHORS)


def make_judge(user: AbstractUser) -> None:
    """Let a user sign in, and be appointed to a panel that sets cut scores."""
    _join(user, JUDGES)


def make_operator(user: AbstractUser) -> None:
    """Let a user sign in, and look after the accounts of the others."""
    _join(user, OPERATORS)


def _join(user: AbstractUser, group: str) -> None:
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    user.groups.add(Group.objects.get(name=group))
