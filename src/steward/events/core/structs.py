"""Payload contracts compiled to msgspec structs: the same rules, judged in C while the bytes are read.

Pydantic stays the one source. A struct accepts what its model accepts in strict reading, and what it refuses is
shown to the model for a better explanation, so a slip here can refuse too much but not let anything through that
the model's own constraints name: a law holds the two side by side.
"""

from __future__ import annotations

import re
import types
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
import msgspec
from pydantic import BaseModel
from pydantic.fields import FieldInfo


def _meta(constraints: list[Any]) -> dict[str, Any]:
    """What msgspec calls the constraints that Pydantic keeps as metadata."""
    found: dict[str, Any] = {}
    for item in constraints:
        if isinstance(item, annotated_types.Ge):
            found["ge"] = item.ge
        elif isinstance(item, annotated_types.Le):
            found["le"] = item.le
        elif isinstance(item, annotated_types.Gt):
            found["gt"] = item.gt
        elif isinstance(item, annotated_types.Lt):
            found["lt"] = item.lt
        elif isinstance(item, annotated_types.MinLen):
            found["min_length"] = item.min_length
        elif isinstance(item, annotated_types.MaxLen):
            found["max_length"] = item.max_length
        elif getattr(item, "pattern", None) is not None:
            # Pydantic's `$` is the end of the text; Python's would let a line break through.
            found["pattern"] = re.sub(r"\$$", r"\\Z", item.pattern)
        elif isinstance(item, FieldInfo):
            found |= _meta(item.metadata)
    return found


def _with(kind: Any, constraints: list[Any]) -> Any:
    meta = _meta(constraints)
    if kind is datetime:
        return Annotated[datetime, msgspec.Meta(tz=True)]
    return Annotated[kind, msgspec.Meta(**meta)] if meta else kind


def compile_type(kind: Any, constraints: list[Any] | None = None) -> Any:
    """The msgspec form of one annotation."""
    constraints = constraints or []
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return compile_type(arguments[0], [*arguments[1:], *constraints])
    if origin in {Union, types.UnionType}:
        return Union[tuple(compile_type(a, constraints if a is not type(None) else []) for a in arguments)]  # noqa: UP007 - made at run time
    if origin in {tuple, list}:
        return _with(list[compile_type(arguments[0])], constraints)
    if origin is dict:
        return dict[compile_type(arguments[0]), compile_type(arguments[1])]
    if origin is Literal:
        return kind
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return compile_model(kind)
    return _with(kind, constraints)


@cache
def compile_model(model: type[BaseModel]) -> type[msgspec.Struct]:
    """The struct of a model: required fields first, unknown keys refused where the model refuses them."""
    required: list[Any] = []
    optional: list[Any] = []
    for name, field in model.model_fields.items():
        kind = compile_type(field.annotation, field.metadata)
        if field.is_required():
            required.append((name, kind))
        else:
            optional.append((name, kind, None))
    return msgspec.defstruct(
        model.__name__,
        [*required, *optional],
        forbid_unknown_fields=model.model_config.get("extra") == "forbid",
        gc=False,
    )


@cache
def holds_instants(model: type[BaseModel]) -> bool:
    """Whether a time stands anywhere in the model: those are judged by Pydantic too, which knows the calendar."""
    return "date-time" in str(model.model_json_schema())


def _no_float(literal: str) -> Any:
    raise ValueError(f"{literal} is not an integer; write ratios as text, money in minor units")


@cache
def payload_decoder(model: type[BaseModel]) -> msgspec.json.Decoder[Any]:
    """Reads bytes and judges them; the values themselves are thrown away."""
    return msgspec.json.Decoder(compile_model(model), float_hook=_no_float)
