"""How lists go on, by each style a tool may name."""

from decimal import Decimal

import pytest

from steward.contracts.tool import VerbSpec
from steward.gateway.core.paging import following, items_of
from steward.gateway.core.reading import Reply
from steward.kernel.errors import BadInput

URL = "https://api.shop.test/orders?limit=2"


def verb(minimum=1, **pages):
    return VerbSpec.model_validate({
        "verb": "list", "meaning": "a list", "method": "GET", "path": "/orders", "effect": False,
        "params": {"type": "object", "properties": {"page": {"type": "integer", "minimum": minimum}}},
        "pages": {"items": "$.items", **pages},
        "evidence": {"level": "documented", "page": "https://x.test", "date": "2026-11-27", "fields": ["items"]},
    })  # fmt: skip


def after(spec, args, document, **headers):
    return following(spec, args, Reply("answer", 200, headers), document, URL)


def test_a_cursor_goes_on_until_it_is_empty_repeats_or_no_more_is_said():
    spec = verb(style="cursor", into="after", next="$.next", more="$.more")
    assert after(spec, {"limit": 2}, {"items": [1], "next": "c2", "more": True}).args == {"limit": 2, "after": "c2"}
    for document in ({"next": "c2", "more": False}, {"next": "", "more": True}, {"more": True}, {"next": "c2"}):
        assert after(spec, {}, document) is None
    assert after(spec, {"after": "7"}, {"next": Decimal(7), "more": True}) is None


def test_pages_and_offsets_grow_while_there_are_items():
    page = verb(style="page", into="page")
    assert after(page, {}, {"items": [1, 2]}).args == {"page": 2}
    assert after(verb(minimum=0, style="page", into="page"), {}, {"items": [1]}).args == {"page": 1}
    assert after(page, {"page": 7}, {"items": [1]}).args == {"page": 8}
    assert after(page, {"page": 8}, {"items": []}) is None
    offset = verb(style="offset", into="skip")
    assert after(offset, {"skip": 4}, {"items": [1, 2, 3]}).args == {"skip": 7}
    assert after(offset, {"skip": 7}, {}) is None
    assert items_of(page.pages, {"items": [[1], 2]}) == [[1], 2]


def test_a_link_is_followed_on_the_same_host_only():
    spec = verb(style="link")
    link = '<https://api.shop.test/orders?page_info=b>; rel="next", <https://api.shop.test/orders>; rel="previous"'
    assert after(spec, {}, {"items": [1]}, link=link).url == "https://api.shop.test/orders?page_info=b"
    assert after(spec, {}, {"items": [1]}, link="</orders?p=2>; rel=next").url == "https://api.shop.test/orders?p=2"
    assert after(spec, {}, {"items": [1]}, link='<https://api.shop.test/a>; rel="previous"') is None
    for other in ("https://evil.test/orders", "http://api.shop.test/orders"):
        with pytest.raises(BadInput, match="next page"):
            after(spec, {}, {"items": [1]}, link=f'<{other}>; rel="next"')
