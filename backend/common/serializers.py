"""The ground under every serializer: references that stay inside one business, and the `client` of a new row.

    class FloorSerializer(TenantSerializer):
        class Meta:
            model = Floor
            fields = ["id", "client", "name", …]

Foreign keys are looked up in the caller's scope when the request runs, so that another tenant's row is a 400
(`does_not_exist`). Sync2gear's staff see every row: what they name must belong to the one client they act for
(`other_client`). A plain serializer that takes references calls `refuse_foreign` by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, TypeVar

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Model, TimeField
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.relations import MANY_RELATION_KWARGS

from common.tenancy import current_scope
from common.validators import LARGEST_INTEGER

M = TypeVar("M", bound=Model)

CLIENT = "client"
WALL_CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$"
"""A time of day, as JSON Schema's `pattern`."""


def invalid(field: str, code: str, detail: str) -> ValidationError:
    """A 400 about one field: `code` is stable, `detail` a sentence for a person."""
    return ValidationError({field: [ErrorDetail(detail, code=code)]})


class TenantRelatedField(serializers.PrimaryKeyRelatedField[M]):
    """A reference by id to a row that the caller may see: `TenantRelatedField(queryset=Floor.objects)`.

    The lookup goes through the model's `objects` at request time, whatever `queryset` was given; `many=True`
    makes a `TenantManyRelatedField`. Serializes to the id.
    """

    queryset: Any
    default_error_messages = {
        "does_not_exist": "There is no such {name} with the id {pk_value}.",
        "incorrect_type": "Give the {name} by its id, a whole number.",
    }

    @classmethod
    def many_init(cls, *args: Any, **kwargs: Any) -> TenantManyRelatedField:
        """The field for a list of ids."""
        passed = {key: value for key, value in kwargs.items() if key in MANY_RELATION_KWARGS}
        return TenantManyRelatedField(child_relation=cls(*args, **kwargs), **passed)

    @property
    def referenced(self) -> Any:
        """The model this field points at."""
        if self.queryset is None:
            raise TypeError(f"{self.field_name} is read-only and points at nothing")
        return self.queryset.model

    def get_queryset(self) -> Any:
        """The rows in the scope of this request."""
        return self.referenced.objects.all()

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        """Raises the `ValidationError` of this key, in words that name the thing."""
        super().fail(key, name=self.referenced._meta.verbose_name, **kwargs)

    def to_key(self, data: Any) -> Any:
        """`data` as a primary key; fails with `incorrect_type`, or `does_not_exist` for what no column holds."""
        if isinstance(data, bool) or not isinstance(data, int | str):
            self.fail("incorrect_type")
        try:
            key = self.referenced._meta.pk.to_python(data)
        except (DjangoValidationError, ValueError):  # a number of thousands of digits is no ValidationError
            self.fail("incorrect_type")
        if isinstance(key, int) and not 0 < key <= LARGEST_INTEGER:
            self.fail("does_not_exist", pk_value=data)
        return key

    def to_internal_value(self, data: Any) -> M:
        """The row with this id; fails with `does_not_exist` when the caller sees none."""
        key = self.to_key(data)
        found: M | None = self.get_queryset().filter(pk=key).first()
        if found is None:
            self.fail("does_not_exist", pk_value=data)
        return found


class TenantManyRelatedField(serializers.ManyRelatedField):
    """A list of references, looked up by one query. The order is kept; repeated ids are dropped."""

    child_relation: TenantRelatedField[Any]

    def to_internal_value(self, data: Any) -> list[Any]:
        """The rows with these ids; every id that leads nowhere is told by its place in the list."""
        if isinstance(data, str | Mapping) or not hasattr(data, "__iter__"):
            self.fail("not_a_list", input_type=type(data).__name__)
        given = list(data)
        if not given and not self.allow_empty:
            self.fail("empty")
        child = self.child_relation
        errors: dict[str, Any] = {}
        keys: list[Any] = []
        for place, item in enumerate(given):
            try:
                keys.append(child.to_key(item))
            except ValidationError as error:
                errors[str(place)] = error.detail
        if errors:
            raise ValidationError(errors)
        rows = child.get_queryset().in_bulk(set(keys))
        for place, key in enumerate(keys):
            if key not in rows:
                try:
                    child.fail("does_not_exist", pk_value=given[place])
                except ValidationError as error:
                    errors[str(place)] = error.detail
        if errors:
            raise ValidationError(errors)
        return [rows[key] for key in dict.fromkeys(keys)]


def references(
    serializer: serializers.Serializer[Any], attrs: Mapping[str, Any], path: str = ""
) -> Iterator[tuple[str, Any]]:
    """Every row that validated `attrs` refer to, nested ones too, with its place (`items.0.music_file`)."""
    fields: Mapping[str, Any] = serializer.fields
    for name, field in fields.items():
        value = attrs.get(field.source)
        if field.read_only or value is None:
            continue
        place = f"{path}{name}"
        if isinstance(field, TenantRelatedField):
            yield place, value
        elif isinstance(field, TenantManyRelatedField):
            yield from ((place, row) for row in value)
        elif isinstance(field, serializers.ListSerializer):
            child: Any = field.child
            for number, inner in enumerate(value):
                yield from references(child, inner, f"{place}.{number}.")
        elif isinstance(field, serializers.Serializer):
            yield from references(field, value, f"{place}.")


def refuse_foreign(
    serializer: serializers.Serializer[Any], attrs: Mapping[str, Any], client_id: int | None
) -> None:
    """Raises `ValidationError` (`other_client`) unless every reference in `attrs` belongs to this client.

    A row that does not say to whom it belongs (no `client_id`) raises `AttributeError`: it cannot be checked.
    """
    errors = {
        place: [ErrorDetail("That belongs to another client.", code="other_client")]
        for place, row in references(serializer, attrs)
        if row.client_id != client_id
    }
    if errors:
        raise ValidationError(errors)


class WallClockField(serializers.TimeField):
    """A time of day as a clock on the wall shows it, `08:30` or `08:30:00`: it has no zone, and none is taken."""

    def to_internal_value(self, value: Any) -> Any:
        """The time; REST framework itself would pass over an offset from UTC."""
        if isinstance(value, str) and not re.fullmatch(WALL_CLOCK, value):
            self.fail("invalid", format="hh:mm[:ss[.uuuuuu]]")
        return super().to_internal_value(value)


class TenantSerializer(serializers.ModelSerializer[M]):
    """A row of one client.

    `client` in a body: sync2gear's staff must name it for a new row; anybody else may leave it out, and
    naming another's is a 400. A row never changes its client. After validation `attrs["client"]` is set for a
    new row and absent for a change.
    """

    serializer_related_field = TenantRelatedField
    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {
        TimeField: WallClockField
    }

    def get_extra_kwargs(self) -> dict[str, dict[str, Any]]:
        """`client` may be left out: `client_for` knows it or asks for it."""
        extra = super().get_extra_kwargs()
        extra[CLIENT] = {
            "required": False,
            "help_text": "The business. Sync2gear's staff must name it; it is fixed once the record exists.",
        } | extra.get(CLIENT, {})
        return extra

    def to_internal_value(self, data: Any) -> Any:
        """The validated values, with the client of a new row, and no reference outside of it."""
        attrs = super().to_internal_value(data)
        named = attrs.pop(CLIENT, None)
        instance: Any = self.instance
        if instance is None:
            client = self.client_for(named, attrs)
            refuse_foreign(self, attrs, client.pk if client is not None else None)
            return attrs | {CLIENT: client}
        if named is not None and named.pk != instance.client_id:
            raise invalid(CLIENT, "client_fixed", "A record stays with its business; make a new one instead.")
        refuse_foreign(self, attrs, instance.client_id)
        return attrs

    def client_for(self, named: Any, attrs: Mapping[str, Any]) -> Any:
        """The client of a new row: the one named in the body, else the caller's own."""
        if named is not None:
            return named
        own = current_scope().client_id
        if own is None:
            raise invalid(CLIENT, "required", "Name the client that you act for.")
        model: Any = self.Meta.model
        return model._meta.get_field(CLIENT).related_model.objects.get(pk=own)
