"""The roof: settings, URLs, ASGI, Celery. Nothing imports it but Django's own entry points."""

from core.celery import app as celery_app

__all__ = ("celery_app",)
