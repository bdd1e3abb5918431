"""The stock admin, behind our sign-in."""

from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    default_site = "assessments.staff.site.StaffSite"
