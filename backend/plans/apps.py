"""The plans' Django app."""

from django.apps import AppConfig


class PlansConfig(AppConfig):
    """The document that tells one device what to do."""

    name = "plans"
