"""What is only read: the journal, by those who run the service; and who has an account."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django_tasks_db.admin import DBTaskResult  # registered by its import, and taken back below

from ..models import Event

# Its pages are in English and of no use to trainers; jobs tell what they need to know.
admin.site.unregister(DBTaskResult)
admin.site.unregister([User, Group])


class HistoryForReaders(admin.ModelAdmin):
    """The stock page looks first whether there is such an object, and so tells all the staff."""

    def history_view(self, request, object_id, extra_context=None):
        if not self.has_view_permission(request):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)


@admin.register(User)
class AccountAdmin(HistoryForReaders, UserAdmin):
    pass


@admin.register(Group)
class RoleAdmin(HistoryForReaders, GroupAdmin):
    pass


class ReadOnlyAdmin(HistoryForReaders):
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
