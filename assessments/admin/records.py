"""What is only read: the journal, by those who run the service; and who has an account."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django_tasks_db.admin import DBTaskResult  # registered by its import, and taken back below

from ..models import Event
from .access import CarefulAdmin

# Its pages are in English and of no use to trainers; jobs tell what they need to know.
admin.site.unregister(DBTaskResult)
admin.site.unregister([User, Group])


@admin.register(User)
class AccountAdmin(CarefulAdmin, UserAdmin):
    pass


@admin.register(Group)
class RoleAdmin(CarefulAdmin, GroupAdmin):
    pass


class ReadOnlyAdmin(CarefulAdmin):
    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """The journal, for those who run the service."""

    fields = list_display = ("at", "actor", "action", "subject")
    list_select_related = ("actor",)
    list_filter = ("action",)

    def has_view_permission(self, request, obj=None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)
