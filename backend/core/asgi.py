"""ASGI entry point: HTTP by Django, sockets by Channels' routing, lifespan for what runs beside them."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")

django_application = get_asgi_application()

from django.conf import settings  # noqa: E402  # Django must be set up before anything below is imported

from core.body_limit import BodyLimit  # noqa: E402
from core.lifespan import lifespan  # noqa: E402
from core.media_door import MediaDoor  # noqa: E402
from core.routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": BodyLimit(MediaDoor(django_application), largest=settings.MAX_UPLOAD_BYTES),
        "websocket": URLRouter(websocket_urlpatterns),
        "lifespan": lifespan,
    }
)
