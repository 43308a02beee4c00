"""Tools: systems outside, described as data. One executor reads this; code stands only where a protocol needs it.

Templates (`path`, `query`, `headers`, `body`, `args`, `expect`) are JSON whose texts may hold `{name}` or
`{name.part}`: a text that is one such mark alone becomes the value itself, whatever its type; inside a longer text the
value is written as text. A key whose mark names an argument that was not given is left out. Filters follow a bar:
`{amount_minor|major:currency}` is an exact decimal text in major units of the currency argument; `{x|text}`,
`{x|json}`, `{x|base64}`, `{x|join:,}`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from steward.contracts.action import RiskLevel
from steward.contracts.base import Contract, Json, JsonObject

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Mode = Literal["native", "probe", "none"]


class Auth(Contract):
    """How calls are signed. Secrets are named, never given.

    `secrets` are entries of the vault, `<tool>_<name>` (STEWARD_KEY_STRIPE_SECRET), each with what it is. `scheme`
    decides which `options` there are: bearer {secret}; basic {user, password}, names of secrets or a literal after `=`;
    header {header, secret, prefix}; query {parameter, secret}; oauth2 {grant: client_credentials or refresh_token,
    token_url, client: basic or body, scope}; hmac {algorithm, secret, header, ...}; sigv4 {service, region}; protocol
    (its own code); none.
    """

    scheme: Literal["bearer", "basic", "header", "query", "oauth2", "hmac", "sigv4", "protocol", "none"]
    options: JsonObject = {}
    secrets: dict[Name, str] = {}


class Rate(Contract):
    """At most `burst` at once and `per_second` (an exact number as text) on average, over all our processes; `source`
    is where the provider says so, or says that it is our own choice.
    """

    burst: Annotated[int, Field(ge=1)]
    per_second: Annotated[str, Field(pattern=r"^\d{1,6}(\.\d{1,6}|/\d{1,6})?$")]
    source: str


class Retry(Contract):
    """Which answers mean "later", how often at most, and the waits between: `first_seconds`, doubled each time."""

    codes: tuple[int, ...] = (429, 500, 502, 503, 504)
    attempts: Annotated[int, Field(ge=1, le=20)] = 3
    first_seconds: Annotated[int, Field(ge=0, le=3600)] = 1
    most_seconds: Annotated[int, Field(ge=0, le=86400)] = 60


class Idempotency(Contract):
    """What may be done when no answer came.

    native: send again with the same key within `hours` of the first time; the key goes into `header`, or, without one,
    where a template says `{key}`. probe: look for our reference with the reading verb `verb` and arguments `args`
    (templates over the arguments and `{key}`); it happened if `found` (a JSONPath into the answer) selects an object
    whose fields are those of `match`; the request must carry `{key}` for that. Nothing found `settle_seconds` after the
    last try means it did not happen. none: a person looks, because of `why`. `again` is the status that the answer to a
    key seen before has, where it is no good one although it holds what the first did.
    """

    mode: Mode
    header: str = ""
    hours: int = 0
    verb: str = ""
    args: dict[str, Json] = {}
    found: str = ""
    match: dict[str, Json] = {}
    settle_seconds: int = 0
    again: int = 0
    why: str = ""


class Pages(Contract):
    """How a list goes on: `cursor` (the answer's `next`, a JSONPath, goes into parameter `into`), `page` and `offset`
    (a number in `into` grows), `link` (the Link header), `token` (like cursor, repeated until it is empty). `items` is
    the JSONPath of the list; `more` of a truth value, if the answer has one.
    """

    style: Literal["cursor", "page", "offset", "link"]
    items: str
    into: str = ""
    next: str = ""
    more: str = ""


class MoneyPath(Contract):
    """Which arguments are the money an effect moves: paths like `amount_minor`, with the currency's, or a fixed one."""

    amount: str
    currency: str


class Check(Contract):
    """A reading verb whose answer must hold `expect`: JSONPath to value; a template is filled first."""

    verb: str
    args: dict[str, Json] = {}
    expect: dict[str, Json] = {}


class Undo(Contract):
    """The verb that takes an effect back, with its arguments: templates over `{args.NAME}` and `{result.NAME}`."""

    verb: str
    args: dict[str, Json] = {}


class Evidence(Contract):
    """Why we believe a verb is as written.

    checked: `operation` of `description` (one of the tool's `descriptions`) accepts its requests, and `response`, which
    was published or recorded, parses. documented: a person can read it on `page`, seen on `date`; `fields` are the
    names of request and answer noted there. internal: a door of ours.
    """

    level: Literal["checked", "documented", "internal"]
    description: str = ""
    operation: str = ""
    response: str = ""
    page: str = ""
    date: str = ""
    fields: tuple[str, ...] = ()


class VerbSpec(Contract):
    """One thing a tool can do.

    `params` is the JSON Schema (2020-12, an object, no additional properties) of the arguments. Arguments that `path`
    names go there. Without `query` and `body` templates the others go into the query (GET, DELETE) or, by their names,
    into the body. `result` gives names to parts of a good answer (JSONPaths); `id` is the other side's reference.
    `failed` (JSONPath to value) marks answers that are refusals although their status says 200. `effect` says whether
    anything changes there; only such a verb has an effect rule. `door` names what an internal verb calls. `protocol`
    names the code of a verb that is no plain HTTP call.
    """

    verb: Name
    meaning: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "INTERNAL"]
    path: str = ""
    base: str = ""
    params: JsonObject
    query: dict[str, Json] | None = None
    headers: dict[str, str] = {}
    body: Json = None
    encoding: Literal["", "json", "form", "multipart", "text"] = ""
    result: dict[Name, str] = {}
    failed: dict[str, Json] = {}
    effect: bool
    risk: RiskLevel = "L0"
    money: MoneyPath | None = None
    idempotency: Idempotency | None = None
    pages: Pages | None = None
    timeout_seconds: Annotated[int, Field(ge=1, le=600)] = 20
    rate: Rate | None = None
    confirm: Check | None = None
    undo: Undo | None = None
    irreversible: str = ""
    door: str = ""
    protocol: str = ""
    evidence: Evidence


class ToolSpec(Contract):
    """A system outside, or one of our own doors.

    `descriptions` are the official descriptions its `checked` verbs are held against: file name to version and where it
    is published. `settings` are what an owner says that is no secret (a shop's host), used as `{settings.NAME}` in
    `base` and templates. A system without a public API is not `callable`: it has no verbs, and `why` says what is
    missing. `webhook` names the scheme of its signatures. `redact` are names of fields that are never written down.
    `check` is the reading verb that shows an owner that her credentials work.
    """

    tool: Name
    name: str
    meaning: str
    category: Literal[
        "commerce",
        "fulfilment",
        "payments",
        "accounting",
        "advertising",
        "support",
        "messaging",
        "live",
        "research",
        "tax",
        "storage",
        "internal",
        "agentic",
    ]  # fmt: skip - one table of categories
    callable: bool = True
    why: str = ""
    base: str = ""
    sandbox: str = ""
    version: str = ""
    docs: str = ""
    descriptions: dict[str, str] = {}
    auth: Auth = Auth(scheme="none")
    settings: dict[Name, str] = {}
    headers: dict[str, str] = {}
    encoding: Literal["json", "form", "multipart", "text"] = "json"
    rate: Rate | None = None
    retry: Retry = Retry()
    breaker_failures: Annotated[int, Field(ge=1, le=1000)] = 5
    breaker_seconds: Annotated[int, Field(ge=1, le=86400)] = 30
    failed: dict[str, Json] = {}
    webhook: str = ""
    redact: tuple[str, ...] = ()
    check: Check | None = None
    verbs: tuple[VerbSpec, ...] = ()
