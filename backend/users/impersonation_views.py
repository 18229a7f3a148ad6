"""`POST /api/clients/{id}/impersonate/`: it is about a business, but lends the identity of one of its people."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from clients.models import Client
from common import clock
from common.api import GuardedAPIView
from common.openapi import BODY, SIGNED_IN, problems
from common.permissions import IsSuperAdmin
from common.throttling import spend
from users import impersonation
from users.serializers import ImpersonationRequestSerializer, ImpersonationSerializer


class ImpersonateView(GuardedAPIView):
    """Staff as an admin of a business."""

    access = {"post": IsSuperAdmin}
    repeatable = {"post": "each token ends by itself, and a kept answer would keep the token"}

    @extend_schema(
        operation_id="clients_impersonate",
        summary="Act as an admin of a business",
        description="Gives an access token for 15 minutes and no refresh token. With it, staff are that admin and no"
        " more: no business but this one, nothing of staff, and nothing of the admin's own account. It ends early when"
        " either of the two is switched off, or gets another role or password, and with the business. The reason, and"
        " everything that is done, is on record under both names.",
        tags=["clients"],
        request=ImpersonationRequestSerializer,
        responses={
            200: ImpersonationSerializer,
            **problems(*BODY, *SIGNED_IN, "not_found", "no_admin", "client_deleting", "rate_limited"),
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        """200 with the token."""
        client: Client = get_object_or_404(Client.objects.all(), pk=pk)
        body = ImpersonationRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        now = clock.now()
        spend("impersonate.user", str(self.caller.pk), now=now)
        lent = impersonation.impersonate(client=client, by=self.caller, now=now, **body.validated_data)
        return Response(ImpersonationSerializer(lent).data)
