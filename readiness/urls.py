"""The doors on the web: the respondents' pages, the staff's admin, and sign-in to that."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("staff/", include("assessments.staff.urls")),
    path("", include("assessments.urls")),
]

handler400 = "assessments.views.errors.bad_request"
