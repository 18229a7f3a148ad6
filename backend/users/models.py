"""People who sign in, and their roles."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models.functions import Lower

from audit.services import audited
from common import clock
from common.permissions import ADMIN, CLIENT, FLOOR_USER
from common.tenancy import TenantManager


class PeopleManager(UserManager["User"]):
    """Django's own manager, with a role that fits: a superuser is sync2gear's staff."""

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra_fields: Any
    ) -> User:
        """A super admin, who belongs to no client."""
        extra_fields.setdefault("role", ADMIN)
        return super().create_superuser(username, email, password, **extra_fields)


@audited("user", ignore=("last_login", "session_generation"), secret=("password",))
class User(AbstractUser):
    """A person with one role.

    `everyone` is unscoped: Django's own authentication looks people up before anybody is signed in. The API
    reads through `objects`, which is narrowed to the caller's scope.
    """

    class Role(models.TextChoices):
        """What a person may do: `common.permissions` has the table."""

        ADMIN = ADMIN, "Super Admin"
        CLIENT = CLIENT, "Client Admin"
        FLOOR_USER = FLOOR_USER, "Floor User"

    class Status(models.TextChoices):
        """Where an account stands. Who is invited has not chosen a password yet and cannot sign in."""

        INVITED = "invited", "Invited"
        ACTIVE = "active", "Active"
        INACTIVE = "inactive", "Switched off"

    role = models.CharField(max_length=20, choices=Role.choices, default=Role.CLIENT)
    client = models.ForeignKey(
        "clients.Client", on_delete=models.CASCADE, null=True, blank=True, related_name="users"
    )
    floor = models.ForeignKey(
        "zones.Floor", on_delete=models.SET_NULL, null=True, blank=True, related_name="users"
    )
    phone = models.CharField(max_length=20, blank=True)
    avatar = models.ImageField(upload_to="avatars/", null=True, blank=True)
    session_generation = models.PositiveIntegerField(default=0, editable=False)
    """Counted up, it ends every session of before: tokens and sessions of the admin carry it."""

    impersonator: User | None = None
    """Under impersonation, the member of staff who really acts; set at sign-in, never stored."""
    impersonated_until: datetime | None = None
    """When the impersonation ends."""
    session_id: uuid.UUID | None = None
    """The session by which the person is here; set at sign-in, never stored."""

    everyone = PeopleManager()
    objects: ClassVar[Any] = TenantManager()

    class Meta:
        db_table = "users"
        ordering = ["username"]
        default_manager_name = "everyone"
        indexes = [models.Index(fields=["avatar"], name="user_by_avatar")]  # for common.media_files
        constraints = [
            models.UniqueConstraint(Lower("email"), condition=~models.Q(email=""), name="user_email_once"),
            models.CheckConstraint(
                condition=models.Q(role=ADMIN) | models.Q(client__isnull=False), name="user_has_client"
            ),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def clean(self) -> None:
        """Normalises the username; keeps the address in lower case, since it is compared so."""
        # Not AbstractUser's own: it asks `objects`, which is the tenants' manager here, for `normalize_email`.
        AbstractBaseUser.clean(self)
        self.email = self.email.lower()

    @property
    def may_sign_in(self) -> bool:
        """Whether the account is switched on and its business lets people in."""
        return self.is_active and (self.client is None or self.client.lets_people_in)

    @property
    def status(self) -> Status:
        """Where the account stands; `selectors.with_status` is the same as a filter."""
        if not self.is_active:
            return self.Status.INACTIVE
        return self.Status.ACTIVE if self.has_usable_password() else self.Status.INVITED

    def get_session_auth_hash(self) -> str:
        """Ends the sessions of Django's admin with the password, as Django does, and with the generation."""
        return self._bound_to_generation(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """The same under the secret keys of before."""
        yield from map(self._bound_to_generation, super().get_session_auth_fallback_hash())

    def _bound_to_generation(self, digest: str) -> str:
        return f"{digest}.{self.session_generation}"

    @property
    def name(self) -> str:
        """The whole name. Set, its first word becomes the first name and the rest the last name."""
        return self.get_full_name()

    @name.setter
    def name(self, name: str) -> None:
        self.first_name, _, rest = name.strip().partition(" ")
        self.last_name = rest.strip()


class UserSession(models.Model):
    """A sign-in and all tokens that came from it: each carries its key, and holds as long as this does.

    `users/sessions.py` has the rules. Ended ones are kept until their last token would have run out.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    began_at = models.DateTimeField(default=clock.now)
    used_at = models.DateTimeField(default=clock.now)
    """When it last had fresh tokens."""
    expires_at = models.DateTimeField(db_index=True)
    """Whatever happens, it is over then: nobody stays signed in for ever without their password."""
    ended_at = models.DateTimeField(null=True, blank=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "user_sessions"
        ordering = ["-used_at"]

    def __str__(self) -> str:
        return f"{self.user} since {self.began_at:%Y-%m-%d %H:%M}"


class OutgoingMail(models.Model):
    """A mail that is owed to an address until a mail server has taken it: `users/mailing.py`."""

    class Kind(models.TextChoices):
        """What for."""

        INVITATION = "invitation", "Invitation"
        PASSWORD_RESET = "password_reset", "Password reset"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    address = models.EmailField(max_length=254)
    asked_at = models.DateTimeField(default=clock.now)
    due_at = models.DateTimeField(default=clock.now, db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "outgoing_mails"
        ordering = ["due_at"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} to {self.address}"
