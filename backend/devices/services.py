"""What people do with speakers: hang up, pair, rename, set, command, revoke. Keyword-only, atomic.

Whatever must reach a device is published after the commit. The database stays the truth: a push that is lost is
made good by the device's next hello.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from audit.models import AuditLog
from audit.services import changes_named, record
from clients.models import Client
from common import clock
from common.context import Actor, acting_as, current_actor
from common.crypto import fingerprint, new_secret
from common.errors import Refusal
from common.rows import lock_row
from common.tenancy import system_scope
from devices import bus, protocol
from devices.credentials import fresh_token
from devices.desired import desired_of, message_of
from devices.domain import pairing
from devices.hub import Frame, Shut
from devices.models import Device, DevicePairing
from devices.protocol import CloseCode
from zones.models import Floor

COMMAND_LIFETIME = timedelta(seconds=10)
"""A command that has not reached its device by then is not carried out."""


# --- hanging up ------------------------------------------------------------------------------------------


@transaction.atomic
def create_device(
    *, client: Client, name: str, floor: Floor | None = None, device_id: str = "", **values: Any
) -> tuple[Device, str]:
    """A new device and its token, which is shown this once. Without a hardware id, one is made up.

    Raises `Refusal("conflict")` when the hardware id is taken, by whomever.
    """
    token, digest = fresh_token()
    device = Device(
        client=client,
        floor=floor,
        name=name,
        device_id=device_id or f"s2g-{secrets.token_hex(6)}",
        token_hash=digest,
        volume=values.pop("volume", floor.default_volume if floor else 75),
        **values,
    )
    _keep_unique(device)
    return device, token


def _keep_unique(device: Device, update_fields: list[str] | None = None) -> None:
    try:
        with transaction.atomic():
            device.save(update_fields=update_fields)
    except IntegrityError:
        raise Refusal(
            "conflict", f"The hardware id {device.device_id} is registered already.", field="device_id"
        ) from None


@transaction.atomic
def change_device(*, device: Device, values: dict[str, Any]) -> Device:
    """Changes columns of a device; what is desired state gets a new revision and is pushed.

    The row is read anew under its lock: of two changes at a time the later has the higher revision, and the
    columns that the live device writes meanwhile are left alone.
    """
    device = lock_row(Device.objects.select_related("floor", "client"), device.pk)
    before = desired_fields(device)
    for name, value in values.items():
        setattr(device, name, value)
    changed = desired_fields(device) != before
    if changed:
        device.desired_rev += 1
    _keep_unique(device, update_fields=[*values, "desired_rev"])
    if changed:
        _push_desired([device.pk])
    if device.floor_id != before[-1]:
        announce_plan(devices=[device.pk])
    return device


def desired_fields(device: Device) -> tuple[Any, ...]:
    """The columns that make a device's desired state."""
    return (device.volume, device.muted, device.output_delay_ms, device.floor_id)


@transaction.atomic
def delete_device(*, device: Device) -> None:
    """Takes a device down: its socket closes (`devices.signals`), its history stays."""
    device.delete()


# --- pairing ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StartedPairing:
    """What a new speaker gets: its secret, the code that it shows, and how long and how often to ask."""

    device_code: str
    user_code: str
    expires_in_s: int
    interval_s: int


def start_pairing(
    *, hardware_id: str, name: str, software: str, ip_address: str | None, now: datetime
) -> StartedPairing:
    """A pairing that waits ten minutes for somebody to enter its code."""
    device_code = new_secret()
    for _ in range(5):
        code = pairing.user_code(secrets.choice)
        try:
            with transaction.atomic():
                DevicePairing.objects.create(
                    device_code_hash=fingerprint(device_code),
                    user_code=code,
                    hardware_id=hardware_id,
                    name=name,
                    software=software,
                    ip_address=ip_address,
                    created_at=now,
                    expires_at=now + pairing.LIFETIME,
                    interval_s=pairing.POLL_EVERY_S,
                )
        except IntegrityError:
            continue
        lifetime_s = int(pairing.LIFETIME.total_seconds())
        return StartedPairing(device_code, pairing.shown(code), lifetime_s, pairing.POLL_EVERY_S)
    raise Refusal("conflict", "No free pairing code was found; try again.")


@transaction.atomic
def claim_device(*, client: Client, code: str, name: str, floor: Floor | None, now: datetime) -> Device:
    """Binds the waiting speaker with this code to a business. Raises `Refusal("unknown_code")`.

    A speaker that was this business's before is taken over with its history; one of another business has to be
    removed there first.
    """
    waiting = (
        DevicePairing.objects.select_for_update()
        .filter(user_code=pairing.typed(code), device=None, expires_at__gt=now)
        .first()
    )
    if waiting is None:
        raise Refusal(
            "unknown_code", "No speaker waits with this code; it may have expired.", field="user_code"
        )
    with system_scope("a hardware id is unique over all businesses"):
        known = Device.objects.filter(device_id=waiting.hardware_id).first()
    if known is not None and known.client_id != client.pk:
        raise Refusal("conflict", "This speaker belongs to another business; it has to be removed there.")
    if known is None:
        device, _ = create_device(
            client=client, name=name or waiting.name, floor=floor, device_id=waiting.hardware_id
        )
    else:
        changes = {"name": name or known.name, "floor": floor or known.floor}
        device = change_device(device=known, values=changes)
    entry = record("claim", resource="device", resource_id=device.pk, client_id=client.pk)
    waiting.device, waiting.claim_entry = device, entry.pk
    waiting.save(update_fields=["device", "claim_entry"])
    return device


def poll_pairing(*, device_code: str, now: datetime) -> tuple[Device, str]:
    """The device and its token, once it is claimed; else a `Refusal` with RFC 8628's code."""
    answer, device, token = _answer_poll(device_code, now)
    if device is None:
        raise Refusal(answer, POLL_SENTENCES[answer])
    return device, token


POLL_SENTENCES = {
    "authorization_pending": "Nobody has entered the code yet; ask again.",
    "slow_down": "Asked too soon: wait five seconds longer between questions from now on.",
    "expired_token": "The code has expired; start a new pairing.",
    "access_denied": "This pairing is over; start a new one.",
}


@transaction.atomic
def _answer_poll(device_code: str, now: datetime) -> tuple[str, Device | None, str]:
    waiting = (
        DevicePairing.objects.select_for_update().filter(device_code_hash=fingerprint(device_code)).first()
    )
    if waiting is None:
        return "expired_token", None, ""
    result = pairing.poll(
        now=now,
        expires_at=waiting.expires_at,
        last_polled_at=waiting.last_polled_at,
        interval_s=waiting.interval_s,
        claimed=waiting.device_id is not None,
        fetched=waiting.fetched_at is not None,
    )
    waiting.last_polled_at = now
    waiting.interval_s = result.interval_s
    token = ""
    device: Device | None = None
    if result.answer == "granted":
        waiting.fetched_at = now
        with system_scope("the speaker is known by its pairing alone"):
            device = lock_row(Device.objects.all(), waiting.device_id or 0)
            with acting_as(_claimant(waiting)), changes_named("fetch_token"):
                token = _replace_token(device)
    waiting.save(update_fields=["last_polled_at", "interval_s", "fetched_at"])
    return result.answer, device, token


def _claimant(claimed: DevicePairing) -> Actor:
    """Whoever claimed a speaker, at its own address: it has no word of its own in who is let in."""
    entry = AuditLog.everything.filter(pk=claimed.claim_entry or 0).first()
    if entry is None:
        return current_actor()
    return replace(
        current_actor(),
        user_id=entry.user_id,
        name=entry.actor_name,
        real_user_id=entry.real_user_id,
        real_name=entry.real_actor_name,
    )


# --- tokens ----------------------------------------------------------------------------------------------


def _replace_token(device: Device) -> str:
    """A new token that holds at once; the old one and a revocation are gone."""
    token, device.token_hash = fresh_token()
    device.next_token_hash = ""
    device.revoked_at = None
    device.save(update_fields=["token_hash", "next_token_hash", "revoked_at"])
    return token


@transaction.atomic
def rotate_token(*, device: Device) -> str:
    """A new token, shown this once. The old one works until the new one is first used.

    A revoked device gets one that works at once.
    """
    if device.revoked_at is not None or not device.token_hash:
        token = _replace_token(device)
    else:
        token, device.next_token_hash = fresh_token()
        device.save(update_fields=["next_token_hash"])
    record("rotate_token", resource="device", resource_id=device.pk, client_id=device.client_id)
    return token


@transaction.atomic
def revoke_token(*, device: Device, now: datetime) -> Device:
    """The device's tokens open nothing any more, and its socket is closed."""
    device.revoked_at = now
    device.next_token_hash = ""
    device.save(update_fields=["revoked_at", "next_token_hash"])
    record("revoke_token", resource="device", resource_id=device.pk, client_id=device.client_id)
    bus.publish_on_commit(
        Shut([device.pk], CloseCode.FORBIDDEN, "revoked", "The token of this device was revoked.")
    )
    return device


# --- desired state and commands --------------------------------------------------------------------------


@transaction.atomic
def set_volume(*, device: Device, volume: int | None, muted: bool | None) -> Device:
    """Sets what the device should sound at; it applies it now, or at its next hello."""
    values: dict[str, Any] = {}
    if volume is not None:
        values["volume"] = volume
    if muted is not None:
        values["muted"] = muted
    with changes_named("volume"):
        return change_device(device=device, values=values)


@transaction.atomic
def renew_desired(*, devices: Iterable[int]) -> None:
    """Something that shapes these devices' desired state has changed above them: a new revision for each."""
    pks = list(devices)
    Device.objects.filter(pk__in=pks).update(desired_rev=F("desired_rev") + 1)
    _push_desired(pks)


def announce_plan(*, devices: Iterable[int]) -> None:
    """After the commit, tells these devices to fetch their plan: something above them has changed it."""
    pks = list(devices)
    if pks:
        bus.publish_on_commit(Frame(pks, protocol.PlanChanged()))


@transaction.atomic
def settle_locks(*, devices: QuerySet[Device], now: datetime) -> int:
    """Tells those of `devices` that were told otherwise whether their business is locked; returns how many.

    A trial ends without any row changing, so this has to be looked for.
    """
    stale = [
        device
        for device in devices.select_related("client")
        if device.silenced != (device.client.lock(now) is not None)
    ]
    for silenced in (True, False):
        turned = [device.pk for device in stale if device.silenced is not silenced]
        if turned:
            Device.objects.filter(pk__in=turned).update(silenced=silenced, desired_rev=F("desired_rev") + 1)
    if stale:
        pks = [device.pk for device in stale]
        _push_desired(pks)
        announce_plan(devices=pks)
    return len(stale)


def watch_locks(*, now: datetime) -> int:
    """`settle_locks` for every business that is, or was told to be, locked; returns how many devices were told."""
    with system_scope("locks are watched for every client"):
        return settle_locks(devices=Device.objects.lock_may_differ(now), now=now)


def _push_desired(pks: list[int]) -> None:
    transaction.on_commit(lambda: push_desired(pks))


def push_desired(pks: Iterable[int]) -> None:
    """Sends these devices their desired state as it stands now."""
    now = clock.now()
    with system_scope("the rows were chosen by the caller"):
        rows = Device.objects.select_related("floor", "client").filter(pk__in=list(pks))
        for device in rows:
            bus.publish(Frame([device.pk], message_of(desired_of(device, now))))


@transaction.atomic
def control(*, device: Device, action: protocol.Action, now: datetime) -> str:
    """Sends a command that the device carries out once; returns its id. Raises `Refusal("device_offline")`."""
    command_id = uuid.uuid4().hex
    _require_online(device, now)
    expires_at = clock.to_us(now + COMMAND_LIFETIME)
    message = protocol.Control(command_id=command_id, action=action, expires_at=expires_at)
    _command(device, "control", message, {"action": action, "command_id": command_id})
    return command_id


@transaction.atomic
def test_tone(*, device: Device, hz: int, ms: int, now: datetime) -> str:
    """Sounds a sine on the device; returns the command's id. Raises `Refusal("device_offline")`."""
    command_id = uuid.uuid4().hex
    _require_online(device, now)
    message = protocol.TestTone(command_id=command_id, hz=hz, ms=ms)
    _command(device, "test_tone", message, {"hz": hz, "ms": ms, "command_id": command_id})
    return command_id


def _require_online(device: Device, now: datetime) -> None:
    if not device.is_online(now):
        seen = f"last seen {device.last_seen:%Y-%m-%d %H:%M} UTC" if device.last_seen else "never seen"
        raise Refusal(
            "device_offline", f"{device.name} is offline ({seen}); commands are not kept for later."
        )
    if device.plain:
        raise Refusal("conflict", f"{device.name} does not speak {protocol.SUBPROTOCOL}: it only plays.")


def _command(device: Device, action: str, message: protocol.Outbound, details: dict[str, Any]) -> None:
    record(action, resource="device", resource_id=device.pk, client_id=device.client_id, details=details)
    bus.publish_on_commit(Frame([device.pk], message))


# --- presence --------------------------------------------------------------------------------------------


def watch_presence(*, now: datetime) -> int:
    """Writes each change of presence once; returns how many there were.

    The lease decides, never a disconnect: a server that was killed could not have told.
    """
    with system_scope("presence is watched for every client"):
        came = Device.objects.online(now).filter(status=Device.Status.OFFLINE)
        went = Device.objects.offline(now).filter(status=Device.Status.ONLINE)
        here = {"status": Device.Status.ONLINE, "first_seen": Coalesce(F("first_seen"), F("last_seen"))}
        return int(came.update(**here)) + int(went.update(status=Device.Status.OFFLINE))
