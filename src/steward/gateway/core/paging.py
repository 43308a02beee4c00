"""How a list of a system outside goes on: the arguments, or the address, of its next page. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

from steward.contracts.tool import Pages, VerbSpec
from steward.gateway.core.reading import Reply, select
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput

_NEXT = re.compile(r'<([^<>\s]+)>\s*;(?:[^,]*;)?\s*rel="?next"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Following:
    """What asks for the next page: the whole arguments, or an address that stands for them."""

    args: JsonObject
    url: str = ""


def items_of(pages: Pages, document: Any) -> list[Any]:
    """The items of a page; a page without its list has none."""
    found = select(pages.items, document) if document is not None else []
    return cast("list[Any]", found[0]) if len(found) == 1 and isinstance(found[0], list) else found


def following(verb: VerbSpec, args: JsonObject, reply: Reply, document: Any, url: str) -> Following | None:
    """What asks for the page after this one; None where this was the last. `url` is where this one came from: an
    address on another host is `BadInput`, since our credentials would go there.
    """
    pages = verb.pages
    if pages is None or document is None:
        return None
    if pages.more and not any(value is True for value in select(pages.more, document)):
        return None
    if pages.style == "link":
        found = _NEXT.search(reply.headers.get("link", ""))
        return Following(args, _same_host(urljoin(url, found[1]), url)) if found else None
    if pages.style == "cursor":
        values = select(pages.next, document)
        value = values[0] if values else None
        if value in (None, "") or str(value) == str(args.get(pages.into)):
            return None
        return Following({**args, pages.into: value})
    count = len(items_of(pages, document))
    if not count:
        return None
    if pages.style == "offset":
        return Following({**args, pages.into: int(args.get(pages.into, 0)) + count})
    return Following({**args, pages.into: int(args.get(pages.into, _first(verb, pages.into))) + 1})


def _first(verb: VerbSpec, name: str) -> int:
    """The number of the first page: zero where the schema lets it be, else one."""
    return 0 if verb.params.get("properties", {}).get(name, {}).get("minimum") == 0 else 1


def _same_host(address: str, before: str) -> str:
    one, other = urlsplit(address), urlsplit(before)
    if (one.scheme, one.netloc) != (other.scheme, other.netloc):
        raise BadInput(
            f"the next page is said to be at {one.netloc[:100]}", fix="credentials go to the tool's own host"
        )
    return address
