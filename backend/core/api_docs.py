"""The socket's description. The pages of the API's documentation are the package's; what they may load, `core.headers`
says: nothing on them comes from another host, and their scripts are files.
"""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse
from django.views import View

from devices import asyncapi


class AsyncAPIView(View):
    """The socket of the speakers, as an AsyncAPI 3 document."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The document, as JSON."""
        return HttpResponse(json.dumps(asyncapi.document(), indent=2), content_type="application/json")
