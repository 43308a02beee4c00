"""What is asked of providers: certificates, objects that a hint names, and lists to compare with what came.

Addresses can be set, so that a test or a simulated world answers in their place; keys come from the vault.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from steward.infra.vault import Vault
from steward.ingest.core.webhooks import parse_document
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput, Infrastructure
from steward.kernel.instants import format_instant

_SECONDS = 20.0
_MOST_PAGES = 1000
_MOST_CERTIFICATE = 64 << 10


@dataclass(frozen=True, slots=True)
class _List:
    """A provider's list: where it is, how `since` is said, where its items and its next page are."""

    address: str
    path: str
    since: str
    unix: bool
    items: str
    headers: Mapping[str, str]
    fixed: Mapping[str, str]


POLLED: dict[str, _List] = {
    "stripe": _List(
        "https://api.stripe.com",
        "/v1/events",
        "created[gte]",
        unix=True,
        items="data",
        headers={},
        fixed={"limit": "100"},
    ),
    "shopify": _List(
        "",
        "/admin/api/2026-07/orders.json",
        "updated_at_min",
        unix=False,
        items="orders",
        headers={"x-shopify-topic": "orders/create"},
        fixed={"status": "any", "limit": "250"},
    ),
    "paypal": _List(
        "https://api-m.paypal.com",
        "/v1/notifications/webhooks-events",
        "start_time",
        unix=False,
        items="events",
        headers={},
        fixed={"page_size": "100"},
    ),
    "easypost": _List(
        "https://api.easypost.com",
        "/v2/trackers",
        "start_datetime",
        unix=False,
        items="trackers",
        headers={},
        fixed={"page_size": "100"},
    ),
}


class Providers:
    """One HTTP client with a time limit; certificates are kept in `folder`, by their address."""

    def __init__(self, vault: Vault, folder: Path) -> None:
        self._vault = vault
        self._folder = folder

    def certificate(self, address: str) -> bytes:
        """The PEM at a provider's certificate address, fetched once. Trouble is an empty answer, which no check
        accepts: the delivery is refused with that reason and comes again.
        """
        import httpx

        kept = self._folder / f"{hashlib.sha256(address.encode()).hexdigest()}.pem"
        if kept.exists():
            return kept.read_bytes()
        try:
            answer = httpx.get(address, timeout=_SECONDS, follow_redirects=False)
        except httpx.HTTPError:
            return b""
        if answer.status_code != 200 or len(answer.content) > _MOST_CERTIFICATE:
            return b""
        self._folder.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(answer.content)
        return answer.content

    def fetched(self, provider: str, hint: JsonObject) -> JsonObject:
        """The object that a delivery without a documented signature names, from the provider itself."""
        ticket = hint.get("ticket_id") or hint.get("id")
        if not isinstance(ticket, int | str) or not str(ticket).isalnum():
            raise BadInput("the delivery names no ticket", where=provider)
        return self._get(provider, self._address(provider, ""), f"/api/tickets/{ticket}", {})

    def listed(self, provider: str, since: datetime) -> Iterator[tuple[JsonObject, Mapping[str, str]]]:
        """Every object of the provider's list since an instant, as the delivery that would have brought it."""
        spec = POLLED.get(provider)
        if spec is None:
            raise BadInput(f"{provider} has no list to compare with", fix=f"one of {', '.join(sorted(POLLED))}")
        address = self._address(provider, spec.address)
        query = {**spec.fixed, spec.since: str(int(since.timestamp())) if spec.unix else format_instant(since)}
        domain = address.partition("://")[2]
        headers = {**spec.headers, **({"x-shopify-shop-domain": domain} if provider == "shopify" else {})}
        path: str | None = spec.path
        for _ in range(_MOST_PAGES):
            page = self._get(provider, address, path, query)
            items: list[JsonObject] = page.get(spec.items) or []
            for item in items:
                yield _as_delivery(provider, item), headers
            path, query = self._next(provider, page, items, spec, query)
            if path is None:
                return
        raise Infrastructure(f"{provider}'s list has more than {_MOST_PAGES} pages", fix="poll a shorter span")

    def _next(
        self, provider: str, page: JsonObject, items: list[JsonObject], spec: _List, query: dict[str, str]
    ) -> tuple[str | None, dict[str, str]]:
        """Path and query of the next page; None at the end."""
        import httpx

        if not items:
            return None, {}
        match provider:
            case "stripe":
                more = page.get("has_more") is True
                return (spec.path, {**query, "starting_after": str(items[-1].get("id"))}) if more else (None, {})
            case "easypost":
                more = page.get("has_more") is True
                return (spec.path, {**query, "before_id": str(items[-1].get("id"))}) if more else (None, {})
            case "shopify":
                more = len(items) == int(spec.fixed["limit"])
                following = {"limit": spec.fixed["limit"], "status": "any", "since_id": str(items[-1].get("id"))}
                return (spec.path, following) if more else (None, {})
            case _:
                links: list[JsonObject] = page.get("links") or []
                following_page = [str(link.get("href")) for link in links if link.get("rel") == "next"]
                target = httpx.URL(following_page[0]) if following_page else None
                return (target.path, dict(target.params)) if target else (None, {})

    def _address(self, provider: str, usual: str) -> str:
        address = self._vault.addresses.get(provider) or usual
        if not address:
            raise BadInput(f"no address is set for {provider}", fix=f"set STEWARD_ADDRESS_{provider.upper()}")
        return address.rstrip("/")

    def _get(self, provider: str, address: str, path: str | None, query: Mapping[str, str]) -> JsonObject:
        import httpx

        key = self._vault.keys.get(provider)
        if not key:
            raise BadInput(f"no API key is set for {provider}", fix=f"set STEWARD_KEY_{provider.upper()}")
        headers: dict[str, str] = {"Accept": "application/json"}
        basic: Any = None
        match provider:
            case "shopify":
                headers["X-Shopify-Access-Token"] = key
            case "easypost":
                basic = (key, "")
            case "gorgias":
                user, _, secret = key.partition(":")
                basic = (user, secret)
            case _:
                headers["Authorization"] = f"Bearer {key}"
        try:
            answer = httpx.get(f"{address}{path}", params=dict(query), headers=headers, auth=basic, timeout=_SECONDS)
        except httpx.HTTPError as error:
            raise Infrastructure(f"{provider} does not answer: {type(error).__name__}", where=address) from error
        if answer.status_code != 200:
            raise Infrastructure(f"{provider} answered {answer.status_code}", where=f"{address}{path}")
        return parse_document(answer.content)


def _as_delivery(provider: str, item: JsonObject) -> JsonObject:
    """A listed object in the form a webhook brings it."""
    if provider == "easypost":
        return {"description": "tracker.updated", "result": item}
    return item
