"""The routes of `fleet.slow`."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from core.urls import urlpatterns as routes


def slow(request: HttpRequest) -> HttpResponse:
    """Answers when PostgreSQL has slept for 100 ms."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.1)")
    return HttpResponse("slept")


urlpatterns = [path("slow/", slow), *routes]
