"""JSON documents into frozen dataclasses, checked field by field.

A class's annotations are its schema: `int`, `float`, `str`, `bool`, `X | None`, `Literal[...]`, `tuple[X, ...]`
and nested dataclasses. Unknown fields are ignored, as the protocol asks, so that a newer server can add some.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, TypeVar

T = TypeVar("T")


class DocumentError(ValueError):
    """A document lacks a field or holds one of the wrong type; the message names its path."""


@cache
def _schema(cls: Any) -> dict[str, tuple[Any, bool]]:
    hints = typing.get_type_hints(cls)
    return {
        field.name: (
            hints[field.name],
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
        )
        for field in dataclasses.fields(cls)
    }


def build(cls: type[T], document: object, path: str = "") -> T:
    """An instance of the dataclass `cls` from a decoded JSON object; raises `DocumentError`."""
    if not isinstance(document, Mapping):
        raise DocumentError(f"{path or 'document'}: expected an object")
    values: dict[str, Any] = {}
    for name, (annotation, required) in _schema(typing.cast(Any, cls)).items():
        where = f"{path}.{name}" if path else name
        if name in document:
            values[name] = _value(annotation, document[name], where)
        elif required:
            raise DocumentError(f"{where}: missing")
    return cls(**values)


def _value(annotation: Any, value: object, path: str) -> Any:
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union):
        if value is None:
            return None
        (annotation,) = (argument for argument in arguments if argument is not type(None))
        return _value(annotation, value, path)
    if origin is Literal:
        if value not in arguments:
            raise DocumentError(f"{path}: {value!r} is none of {', '.join(map(str, arguments))}")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise DocumentError(f"{path}: expected a list")
        return tuple(_value(arguments[0], item, f"{path}[{at}]") for at, item in enumerate(value))
    if dataclasses.is_dataclass(annotation):
        return build(typing.cast(type, annotation), value, path)
    if annotation is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, annotation) or (isinstance(value, bool) and annotation is not bool):
        raise DocumentError(f"{path}: expected {annotation.__name__}")
    return value
