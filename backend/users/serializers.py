"""People in bodies and answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from clients.serializers import OwnClientSerializer
from common.permissions import ADMIN, capabilities_of
from common.serializers import TenantRelatedField, TenantSerializer, invalid
from common.validators import validate_time_zone
from users.avatars import avatar_url
from users.models import User, UserSession
from users.passwords import PasswordField

LONGEST_EMAIL = 150
"""Characters: the username holds the address too, and a username has no more."""
LONGEST_NAME = 150


class RegistrationSerializer(serializers.Serializer[Any]):
    """A business and its first admin."""

    business_name = serializers.CharField(max_length=255)
    name = serializers.CharField(max_length=LONGEST_NAME, help_text="The admin's own name.")
    email = serializers.EmailField(max_length=LONGEST_EMAIL, help_text="The admin signs in with it.")
    password = PasswordField()
    telephone = serializers.CharField(max_length=20)
    timezone = serializers.CharField(
        max_length=64, default="UTC", validators=[validate_time_zone], help_text="IANA, like Europe/London."
    )


class LoginSerializer(serializers.Serializer[Any]):
    """An account, by its e-mail address or its username, and its password."""

    email = serializers.CharField(required=False, max_length=254)
    username = serializers.CharField(required=False, max_length=254)
    password = PasswordField()

    def validate(self, attrs: Any) -> Any:
        """One of the two names the account, given on as `account`."""
        account = attrs.get("email") or attrs.get("username")
        if account is None:
            raise invalid("email", "required", "Give your e-mail address, or your username.")
        return {"account": account, "password": attrs["password"]}


class RefreshSerializer(serializers.Serializer[Any]):
    """A refresh token."""

    refresh = serializers.CharField(max_length=4096)


class OwnPasswordSerializer(serializers.Serializer[Any]):
    """That it is really oneself."""

    current_password = PasswordField()


class UserSessionSerializer(serializers.ModelSerializer[UserSession]):
    """One place where somebody is signed in."""

    current = serializers.SerializerMethodField()

    class Meta:
        model = UserSession
        fields = ["id", "began_at", "used_at", "expires_at", "ip_address", "user_agent", "current"]

    def get_current(self, session: UserSession) -> bool:
        """Whether it is the one that asks."""
        return bool(session.pk == self.context.get("current"))


class AddressSerializer(serializers.Serializer[Any]):
    """Whose password is to be reset."""

    email = serializers.EmailField(max_length=254)


class SentSerializer(serializers.Serializer[Any]):
    """What happens next."""

    detail = serializers.CharField(read_only=True)


class NewPasswordSerializer(serializers.Serializer[Any]):
    """A link's token, and the password that its holder chooses."""

    token = serializers.CharField(max_length=1024, help_text="What stands behind `#token=` in the link.")
    password = PasswordField()


class AcceptanceSerializer(NewPasswordSerializer):
    """The acceptance of an invitation."""

    name = serializers.CharField(
        required=False, max_length=LONGEST_NAME, help_text="One's own name, if the admin got it wrong."
    )


class OwnFloorSerializer(serializers.Serializer[Any]):
    """The floor of a floor user."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(read_only=True)


@extend_schema_field({"type": ["string", "null"], "format": "uri-reference"})
class AvatarField(serializers.ReadOnlyField):
    """The link to a person's picture, or null."""

    def __init__(self) -> None:
        super().__init__(
            source="*", help_text="A link to the picture that lives for a day; null without one."
        )

    def to_representation(self, user: User) -> str | None:
        """The link, relative to the server's root."""
        return avatar_url(user)


class PictureSerializer(serializers.Serializer[Any]):
    """The form of a picture."""

    file = serializers.FileField(
        allow_empty_file=True,
        help_text="JPEG, PNG or WebP, at most 10 MB and 25 megapixels. Its middle is kept, 512 pixels square.",
    )


class RealActorSerializer(serializers.Serializer[Any]):
    """The member of staff behind a borrowed identity."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(read_only=True)
    email = serializers.EmailField(read_only=True)


class BorrowedSerializer(serializers.Serializer[User]):
    """By whom the identity is borrowed, and until when."""

    by = RealActorSerializer(source="impersonator", read_only=True)
    until = serializers.DateTimeField(source="impersonated_until", read_only=True)


class MeSerializer(serializers.ModelSerializer[User]):
    """The person who asks: profile, business, floor, and what the role may do."""

    name = serializers.CharField(read_only=True)
    client = OwnClientSerializer(read_only=True, allow_null=True)
    floor = OwnFloorSerializer(read_only=True, allow_null=True)
    avatar = AvatarField()
    capabilities = serializers.SerializerMethodField(help_text="What the role may do.")
    impersonation = serializers.SerializerMethodField(
        help_text="Set while staff act as this person; null otherwise."
    )

    class Meta:
        model = User
        fields = [
            "id",
            "username",
            "email",
            "name",
            "first_name",
            "last_name",
            "phone",
            "avatar",
            "role",
            "client",
            "floor",
            "capabilities",
            "impersonation",
            "last_login",
        ]
        read_only_fields = fields

    def get_capabilities(self, user: User) -> list[str]:
        """The names of what the role may do."""
        return capabilities_of(user.role)

    @extend_schema_field(BorrowedSerializer(allow_null=True))
    def get_impersonation(self, user: User) -> dict[str, Any] | None:
        """Who really acts."""
        return None if user.impersonator is None else dict(BorrowedSerializer(user).data)


class TokensSerializer(serializers.Serializer[Any]):
    """A pair of tokens."""

    access = serializers.CharField(read_only=True, help_text="For `Authorization: Bearer`, 30 minutes.")
    refresh = serializers.CharField(read_only=True, help_text="For `/api/auth/refresh/`, once, two weeks.")


class SessionSerializer(TokensSerializer):
    """A pair of tokens and whose they are."""

    user = MeSerializer(read_only=True)


class ImpersonationRequestSerializer(serializers.Serializer[Any]):
    """Whose identity staff borrow, and why."""

    reason = serializers.CharField(
        min_length=5, max_length=500, help_text="For the record, which the business's own admins can read."
    )
    user = TenantRelatedField(
        queryset=User.objects,
        required=False,
        allow_null=True,
        help_text="One of the business's active admins; left out: the oldest account of them.",
    )


class ImpersonationSerializer(serializers.Serializer[Any]):
    """A borrowed identity."""

    access = serializers.CharField(read_only=True, help_text="For `Authorization: Bearer`, 15 minutes.")
    expires_at = serializers.DateTimeField(read_only=True)
    user = MeSerializer(read_only=True)


class ProfileSerializer(serializers.ModelSerializer[User]):
    """What a person may change of their own account."""

    name = serializers.CharField(
        required=False, max_length=LONGEST_NAME, help_text="First and last name in one."
    )
    email = serializers.EmailField(required=False, max_length=LONGEST_EMAIL)
    current_password = PasswordField(required=False, help_text="Needed for a new password or e-mail address.")
    password = PasswordField(required=False, help_text="The new password. It ends every other session.")

    class Meta:
        model = User
        fields = ["name", "first_name", "last_name", "email", "phone", "current_password", "password"]


class ChangedMeSerializer(MeSerializer):
    """The changed profile; after a change of password also a fresh pair of tokens."""

    access = serializers.CharField(read_only=True, required=False)
    refresh = serializers.CharField(read_only=True, required=False)

    class Meta(MeSerializer.Meta):
        fields = [*MeSerializer.Meta.fields, "access", "refresh"]
        read_only_fields = fields


class UserSerializer(TenantSerializer[User]):
    """An account, as its admins see it."""

    name = serializers.CharField(
        required=False, max_length=LONGEST_NAME, help_text="First and last name in one."
    )
    email = serializers.EmailField(max_length=LONGEST_EMAIL)
    password = PasswordField(
        required=False,
        help_text="Without one, a new account is invited by e-mail. For an old account it ends all sessions.",
    )
    status = serializers.ChoiceField(
        choices=User.Status.choices,
        read_only=True,
        help_text="`invited`: has not chosen a password yet.",
    )
    avatar = AvatarField()
    client_name = serializers.CharField(source="client.name", read_only=True, allow_null=True)
    floor_name = serializers.CharField(source="floor.name", read_only=True, allow_null=True)

    class Meta:
        model = User
        fields = [
            "id",
            "client",
            "client_name",
            "floor",
            "floor_name",
            "role",
            "email",
            "username",
            "name",
            "first_name",
            "last_name",
            "phone",
            "avatar",
            "is_active",
            "status",
            "password",
            "last_login",
            "date_joined",
        ]
        read_only_fields = ["username", "last_login", "date_joined"]
        extra_kwargs = {"role": {"required": True}}

    def client_for(self, named: Any, attrs: Mapping[str, Any]) -> Any:
        """Staff belong to no client, everybody else to one."""
        if attrs["role"] != ADMIN:
            return super().client_for(named, attrs)
        caller: Any = self.context["request"].user
        if caller.role != ADMIN or named is None:
            return None  # whether the caller may make staff at all is for the service to say
        raise invalid("client", "client_role", "Staff belong to no client.")
