"""Routes of people and sign-in, relative to /api/."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from users.auth_views import (
    LoginView,
    LogoutEverywhereView,
    LogoutView,
    MeView,
    OwnAvatarView,
    RefreshView,
    RegisterView,
    SessionsView,
)
from users.impersonation_views import ImpersonateView
from users.link_views import AcceptInvitationView, ConfirmPasswordResetView, PasswordResetView
from users.views import UserViewSet

router = SimpleRouter()
router.register("users", UserViewSet, basename="user")

urlpatterns = [
    path("auth/register/", RegisterView.as_view(), name="auth-register"),
    path("auth/login/", LoginView.as_view(), name="auth-login"),
    path("auth/refresh/", RefreshView.as_view(), name="auth-refresh"),
    path("auth/logout/", LogoutView.as_view(), name="auth-logout"),
    path("auth/logout-everywhere/", LogoutEverywhereView.as_view(), name="auth-logout-everywhere"),
    path("auth/sessions/", SessionsView.as_view(), name="auth-sessions"),
    path("auth/invitations/accept/", AcceptInvitationView.as_view(), name="auth-accept-invitation"),
    path("auth/password-reset/", PasswordResetView.as_view(), name="auth-password-reset"),
    path(
        "auth/password-reset/confirm/",
        ConfirmPasswordResetView.as_view(),
        name="auth-password-reset-confirm",
    ),
    path("auth/me/", MeView.as_view(), name="auth-me"),
    path("auth/me/avatar/", OwnAvatarView.as_view(), name="auth-me-avatar"),
    path("clients/<int:pk>/impersonate/", ImpersonateView.as_view(), name="client-impersonate"),
    *router.urls,
]
