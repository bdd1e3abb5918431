"""The trainers' and authors' door: the stock admin, with pages of our own."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

from . import accounts, authoring, cohort, records, standards

__all__ = ["accounts", "authoring", "cohort", "records", "standards"]

admin.site.site_header = gettext_lazy("Readiness – working space")
admin.site.site_title = gettext_lazy("Readiness – working space")
admin.site.index_title = gettext_lazy("Your cohorts and their results")
