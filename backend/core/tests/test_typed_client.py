"""A client that a public generator makes of the committed description works against the real server."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from conftest import PASSWORD, Business

DESCRIPTION = Path(settings.PROJECT_ROOT) / "docs" / "openapi.yaml"
NAME = "sync2gear_generated"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of the generated package, importable."""
    folder = tmp_path_factory.mktemp("client")
    config = folder / "config.yaml"
    config.write_text("post_hooks: []\n")  # its formatters would be no part of what is tried
    command = Path(sys.executable).with_name("openapi-python-client")
    subprocess.run(
        [
            *(command, "generate", "--path", DESCRIPTION, "--meta", "none"),
            *("--output-path", folder / NAME, "--config", config),
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )
    sys.path.insert(0, str(folder))
    try:
        yield NAME
    finally:
        sys.path.remove(str(folder))


@pytest.mark.once("production")
@pytest.mark.django_db(transaction=True)
def test_a_generated_client_signs_in_makes_a_floor_and_lists_speakers(
    generated: str, live_server: Any, shop: Business
) -> None:
    def part(path: str) -> Any:
        return importlib.import_module(f"{generated}.{path}")

    models = part("models")
    anybody = part("client").Client(base_url=live_server.url)
    session = part("api.auth.auth_login_create").sync(
        client=anybody, body=models.LoginRequest(email=shop.admin.email, password=PASSWORD)
    )
    assert session.user.email == shop.admin.email
    client = part("client").AuthenticatedClient(base_url=live_server.url, token=session.access)
    create = part("api.floors.floors_create")
    floor = create.sync(client=client, body=models.FloorRequest(name="Cellar"), idempotency_key="once")
    again = create.sync(client=client, body=models.FloorRequest(name="Cellar"), idempotency_key="once")
    assert (floor.name, floor.client) == ("Cellar", shop.client.pk)
    assert again.id == floor.id
    listed = part("api.floors.floors_list").sync(client=client)
    assert {each.name for each in listed.results} == {"Ground", "Upper", "Cellar"}
    speakers = part("api.devices.devices_list").sync(client=client)
    assert {each.device_id for each in speakers.results} == {each.device_id for each in shop.devices}
    refused = create.sync_detailed(client=client, body=models.FloorRequest(name="Cellar"))
    assert refused.status_code == 400
    assert refused.parsed.errors[0].field == "name"
