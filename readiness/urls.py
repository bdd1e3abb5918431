"""The doors on the web: the respondents' pages, the staff's admin, and sign-in to that."""

from django.contrib import admin
from django.urls import include, path

from assessments.views.errors import nowhere

urlpatterns = [
    # Looks up any row of any table for anybody of the staff; nothing of ours is viewed there.
    path("admin/r/<path:content_type_id>/<path:object_id>/", nowhere),
    path("admin/", admin.site.urls),
    path("staff/", include("assessments.staff.urls")),
    path("", include("assessments.urls")),
]

handler400 = "assessments.views.unavailable.refused"
handler500 = "assessments.views.unavailable.failed"
