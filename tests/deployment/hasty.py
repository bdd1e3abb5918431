"""Readiness, loaded by something that asks the database before the processes fork."""

from django.db import connection

from readiness.wsgi import application

with connection.cursor() as cursor:
    cursor.execute("SELECT 1")

__all__ = ["application"]
