from django.conf import settings
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("surveys/", include(f"{settings.RIVAL}.urls")),
]
