"""The two doors on the web: the respondents' pages and the trainers' admin."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("assessments.urls")),
]

handler400 = "assessments.views.unavailable.refused"
handler500 = "assessments.views.unavailable.failed"
