"""Arguments of the tools, as models: what a caller sends is checked against them before anything is done."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ActionId = Annotated[str, Field(pattern=r"^act_[0-9a-f]{32}$")]
Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
ToolName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Few = Annotated[int, Field(ge=1, le=100)]


class Arguments(BaseModel):
    """Arguments of a tool: unknown names are errors, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Nothing(Arguments):
    pass


class ListActions(Arguments):
    kind: Word | None = None
    outcome: Literal["refused", "held", "shadowed", "receipt"] | None = None
    state: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")] | None = None
    after: ActionId | None = None
    limit: Few = 20


class Waiting(Arguments):
    limit: Few = 20


class GetAction(Arguments):
    id: ActionId


class ListTools(Arguments):
    after: Annotated[str, Field(max_length=64, pattern=r"^[a-z0-9_]*$")] = ""
    limit: Few = 50


class GetTool(Arguments):
    tool: ToolName


class GetBalances(Arguments):
    as_of: Annotated[str, Field(max_length=40)] | None = None


class GetEvents(Arguments):
    after: Annotated[int, Field(ge=0, le=2**62)] = 0
    type: Word | None = None
    subject: Word | None = None
    limit: Few = 20


class ExplainRule(Arguments):
    name: Word


class Propose(Arguments):
    key: Word
    kind: Word
    params: dict[str, Any]
    why: Annotated[str, Field(max_length=2000)] = ""
