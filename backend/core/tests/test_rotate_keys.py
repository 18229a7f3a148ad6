"""`manage.py rotate_keys`: afterwards the newest key alone opens every secret."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from ai_config.models import AIProvider
from common import clock, crypto, rekeying
from common.models import IdempotencyRecord
from webhooks.models import Webhook

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everything")]


@pytest.fixture
def rows(shop: Any, settings: Any) -> list[Any]:
    """A row with a secret in each encrypted column, and others with none, under the old key; the new one is first."""
    settings.ENCRYPTION_KEYS = (OLD,)
    hook = {"client": shop.client, "url": "https://example.com/"}
    made = [
        AIProvider.objects.create(name="One", provider="openai", api_key="secret-0"),
        *(Webhook.objects.create(**hook, secret=f"secret-{n}", old_secret="older") for n in range(5)),
        Webhook.objects.create(**hook, secret="secret-6"),
        IdempotencyRecord.objects.create(
            caller="c", route="r", key="k", fingerprint="f", answer="secret-7", created_at=clock.now()
        ),
    ]
    settings.ENCRYPTION_KEYS = (NEW, OLD)
    return made


def secrets_of(rows: list[Any]) -> list[str]:
    """What the database holds, opened with the keys in force."""
    found = []
    for row in rows:
        row.refresh_from_db()
        found += [
            getattr(row, name) for model, name in rekeying.encrypted_columns() if isinstance(row, model)
        ]
    return found


def test_the_newest_key_opens_everything(
    rows: list[Any], settings: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rekeying, "PAGE", 2)
    before = secrets_of(rows)
    assert {type(row) for row in rows} == {model for model, _ in rekeying.encrypted_columns()}
    call_command("rotate_keys")
    assert "webhooks.Webhook.secret: 6 re-encrypted, 0 already" in capsys.readouterr().out
    call_command("rotate_keys")
    assert "webhooks.Webhook.old_secret: 0 re-encrypted, 5 already" in capsys.readouterr().out
    settings.ENCRYPTION_KEYS = (NEW,)
    assert secrets_of(rows) == before


def test_what_no_key_opens_is_told_and_the_rest_is_done(rows: list[Any], settings: Any, capsys: Any) -> None:
    settings.ENCRYPTION_KEYS = (Fernet.generate_key().decode(),)
    lost = Webhook.objects.create(client=rows[1].client, url="https://example.com/", secret="lost")
    settings.ENCRYPTION_KEYS = (NEW, OLD)
    with pytest.raises(CommandError, match="1 secrets stay as they are"):
        call_command("rotate_keys")
    assert f"no key of ENCRYPTION_KEYS opens row {lost.pk}" in capsys.readouterr().err
    settings.ENCRYPTION_KEYS = (NEW,)
    assert secrets_of(rows)


def test_what_somebody_writes_meanwhile_stays(rows: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    hook, decrypt = rows[1], crypto.decrypt

    def meanwhile(sealed: str) -> str:
        monkeypatch.undo()
        Webhook.objects.filter(pk=hook.pk).update(secret="fresh")
        return decrypt(sealed)

    monkeypatch.setattr(crypto, "decrypt", meanwhile)
    assert rekeying.rekey(Webhook, "secret").renewed == 5
    hook.refresh_from_db()
    assert hook.secret == "fresh"
