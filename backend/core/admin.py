"""What other packages put into the admin and sync2gear leaves out."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.models import Group
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

# A person has one role (`common.permissions`): groups would be a second truth. The rows of refresh tokens are ids
# and dates, and whoever deleted one would make a used token good again.
admin.site.unregister([Group, BlacklistedToken, OutstandingToken])
