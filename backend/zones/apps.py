"""Floors' Django app."""

from django.apps import AppConfig


class ZonesConfig(AppConfig):
    """The floors (zones) of a business."""

    name = "zones"
    default_auto_field = "django.db.models.BigAutoField"
