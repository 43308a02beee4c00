"""The TikTok advertising face (Marketing API 1.3)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Any

from livemarket.core.acts import Verb
from livemarket.faces import amounts
from livemarket.faces.business import Business, Happened
from livemarket.faces.calls import Answer, Call
from livemarket.faces.door import No, Route
from livemarket.faces.faults import Faults
from livemarket.faces.idempotency import Keys
from livemarket.faces.pages import by_number
from livemarket.faces.shapes import a_list, an_object, texts
from livemarket.faces.shelf import Shelf
from livemarket.faces.tiktok.campaigns import Campaigns, ratio
from livemarket.faces.tiktok.envelope import Envelope, Refused
from livemarket.faces.view import View
from livemarket.faces.webhooks import Notice, Post
from livemarket.files import names
from livemarket.files.faults import major

ROOT = "/open_api/v1.3"
WRONG, BUSY = 40_002, 50_000
LEAST_MINOR = 2_000  # a day's budget of an ad group
_REFUSALS = {
    No.NOT_FOUND: (40_006, "No such path.", 404), No.WRONG_METHOD: (40_006, "No such method here.", 405),
    No.RATE_LIMITED: (40_100, "Too many requests. Please retry later.", 200),
    No.OUTAGE: (BUSY, "System error (an outage somebody asked for).", 200),
    No.KEY_REUSED: (WRONG, "key", 200), No.KEY_IN_USE: (WRONG, "key", 200),
    No.TOO_LARGE: (WRONG, "Body too large.", 413),
}  # fmt: skip
_METRICS: dict[str, Callable[[Counter[str]], str]] = {
    "spend": lambda c: major(c["spend"]), "impressions": lambda c: str(c["impressions"]),
    "clicks": lambda c: str(c["clicks"]), "conversion": lambda c: str(c["conversion"]),
    "ctr": lambda c: ratio(100 * c["clicks"], c["impressions"]), "cpc": lambda c: ratio(c["spend"], 100 * c["clicks"]),
    "cpm": lambda c: ratio(10 * c["spend"], c["impressions"]),
    "cost_per_conversion": lambda c: ratio(c["spend"], 100 * c["conversion"]),
    "conversion_rate": lambda c: ratio(100 * c["conversion"], c["clicks"]),
    "complete_payment": lambda c: str(c["conversion"]), "total_complete_payment_rate": lambda c: major(c["value"]),
    "complete_payment_roas": lambda c: ratio(c["value"], c["spend"]),
}  # fmt: skip
_LEVELS = {
    "AUCTION_ADVERTISER": "advertiser_id", "AUCTION_CAMPAIGN": "campaign_id", "AUCTION_ADGROUP": "adgroup_id",
}  # fmt: skip
Action = Callable[[Call], Any]


def wrong(message: str) -> Refused:
    return Refused(WRONG, message)


class TikTokAds:
    """One advertiser. Budgets and switches hold from the next day, when money is spent again."""

    name = "tiktok_ads"
    post: Post | None = None

    def __init__(self, business: Business, faults: Faults, seed: int) -> None:
        self.business = business
        self.keys = Keys(0)
        self.advertiser = "7080000000000000001"
        self.campaigns = Campaigns(View(business), Shelf(business), self.advertiser)
        self._token = hashlib.sha256(f"livemarket/tiktok_ads/{seed}".encode()).hexdigest()[:40]
        self._envelope = Envelope(self.name, "OK")

    def listens(self, base: str) -> None:
        """Its answers hold no address."""

    def credentials(self) -> dict[str, str]:
        return {"access_token": self._token, "advertiser_id": self.advertiser}

    def refused(self, call: Call) -> Answer | None:
        given = call.headers.get("access-token", "")
        if hmac.compare_digest(given.encode(), self._token.encode()):
            return None
        code = 40_105 if given else 40_104
        return self._envelope.bad(
            Refused(code, "Access token is incorrect or has been revoked." if given else "Access token is null.")
        )

    def no(self, why: No, call: Call, retry_after: int = 0) -> Answer:
        return self._envelope.bad(Refused(*_REFUSALS[why]))

    def key(self, call: Call) -> str | None:
        return None

    def notices(self, happened: Happened) -> list[Notice]:
        self.campaigns.seen(happened)
        return []

    def routes(self) -> Sequence[Route]:
        """The same for Smart+ campaigns and plain ones."""
        table: list[tuple[str, str, Action]] = [
            ("GET", "/advertiser/info/", self._info), ("GET", "/report/integrated/get/", self._report),
            ("POST", "/adgroup/budget/update/", self._budgets),
        ]  # fmt: skip
        for prefix in ("", "/smart_plus"):
            table += [
                (method, f"{prefix}/{what}/{path}", partial(action, what))
                for what in ("campaign", "adgroup")
                for method, path, action in (
                    ("GET", "get/", self._listed),
                    ("POST", "update/", self._update),
                    ("POST", "status/update/", self._switch),
                )
            ]
        return [Route(method, ROOT + path, self._envelope.guarded(action)) for method, path, action in table]

    def _inside(self, call: Call, name: str, otherwise: Any) -> Any:
        """A query parameter that holds JSON."""
        try:
            return json.loads(call.asked(name)) if call.asked(name) else otherwise
        except ValueError as error:
            raise wrong(f"{name}: expected JSON") from error

    def _texts(self, call: Call, name: str, otherwise: list[str]) -> list[str]:
        """A query parameter that holds a list of texts."""
        found = texts(self._inside(call, name, otherwise))
        if found is None:
            raise wrong(f"{name}: a list of texts")
        return found

    def _own(self, advertiser: Any) -> None:
        if advertiser != self.advertiser:
            raise Refused(40_001, f"No permission to operate advertiser {advertiser}")

    def _body(self, call: Call) -> dict[str, Any]:
        try:
            asked = an_object(amounts.decoded(call.body))
        except ValueError as error:
            raise wrong("The body is not JSON.") from error
        if asked is None:
            raise wrong("The body is not an object.")
        self._own(asked.get("advertiser_id"))
        return asked

    def _info(self, call: Call) -> Any:
        wanted = self._texts(call, "advertiser_ids", [])
        if wanted != [self.advertiser]:
            raise Refused(40_001, "No permission to operate these advertisers")
        account = {
            "advertiser_id": self.advertiser, "name": "Simulated shop", "currency": names.CURRENCY,
            "status": "STATUS_ENABLE", "timezone": "Etc/UTC", "country": "US", "role": "ROLE_ADVERTISER",
        }  # fmt: skip
        fields = self._texts(call, "fields", list(account))
        return {"list": [{k: v for k, v in account.items() if k in fields or k == "advertiser_id"}]}

    def _paged(self, call: Call, rows: list[dict[str, Any]]) -> dict[str, Any]:
        page, size = call.asked("page", "1"), call.asked("page_size", "10")
        if not page.isdecimal() or not size.isdecimal() or int(page) < 1 or not 1 <= int(size) <= 1000:
            raise wrong("page: from 1; page_size: from 1 to 1000")
        places, pages = by_number(len(rows), int(page), int(size))
        info = {"page": int(page), "page_size": int(size), "total_number": len(rows), "total_page": pages}
        return {"list": [rows[n] for n in places], "page_info": info}

    def _listed(self, what: str, call: Call) -> Any:
        self._own(call.asked("advertiser_id"))
        filters = an_object(self._inside(call, "filtering", {}))
        known = {"campaign_ids", "adgroup_ids"}
        if filters is None or set(filters) - known:
            raise wrong(f"filtering: this world knows {' and '.join(sorted(known))}")
        made = self.campaigns.campaign if what == "campaign" else self.campaigns.group
        rows = [made(n) for n in self.campaigns.sets]
        for name, given in filters.items():
            wanted = a_list(given)
            if wanted is None:
                raise wrong(f"filtering: {name} is a list")
            rows = [row for row in rows if row.get(name[:-1]) in wanted]
        return self._paged(call, rows)

    def _named(self, text: Any, what: str) -> int:
        place = 1 if what == "adgroup" else 0
        for ad_set in self.campaigns.sets:
            if self.campaigns.ids(ad_set)[place] == text:
                return ad_set
        raise wrong(f"{what} {text} does not exist")

    def _set(self, ad_set: int, budget: Any) -> None:
        """A new budget for a day. One that is switched off stays off and keeps it for later."""
        minor = amounts.minor(budget)
        if minor is None or minor < LEAST_MINOR:
            raise wrong(f"budget: at least {major(LEAST_MINOR)}")
        if self.campaigns.runs(ad_set):
            self._act(ad_set, minor)
        else:
            self.campaigns.paused[ad_set] = minor

    def _act(self, ad_set: int, minor: int) -> None:
        if self.business.act(Verb.BUDGET, ad_set, minor) is None:
            raise Refused(BUSY, "System busy. Please retry.")

    def _update(self, what: str, call: Call) -> Any:
        asked = self._body(call)
        ad_set = self._named(asked.get(f"{what}_id"), what)
        unknown = set(asked) - {"advertiser_id", "campaign_id", "adgroup_id", "budget"}
        if unknown:
            raise wrong(f"{min(unknown)}: cannot be changed in this world")
        if "budget" in asked:
            self._set(ad_set, asked["budget"])
        return self.campaigns.campaign(ad_set) if what == "campaign" else self.campaigns.group(ad_set)

    def _budgets(self, call: Call) -> Any:
        """Several ad groups at once; each is done or named with what is wrong with it."""
        asked = a_list(self._body(call).get("budget"))
        if asked is None or not 1 <= len(asked) <= 20:
            raise wrong("budget: from 1 to 20 of adgroup_id and budget")
        good: list[str] = []
        bad: list[dict[str, Any]] = []
        for one in asked:
            entry = an_object(one) or {}
            group = entry.get("adgroup_id")
            try:
                self._set(self._named(group, "adgroup"), entry.get("budget"))
                good.append(f"{group}")
            except Refused as refusal:
                bad.append({"adgroup_id": group, "error_message": refusal.message})
        return {"adgroup_ids": good, "error_list": bad}

    def _switch(self, what: str, call: Call) -> Any:
        asked = self._body(call)
        ids, status = a_list(asked.get(f"{what}_ids")), asked.get("operation_status")
        if ids is None or not 1 <= len(ids) <= 20:
            raise wrong(f"{what}_ids: from 1 to 20")
        if status not in {"ENABLE", "DISABLE"}:
            raise wrong("operation_status: ENABLE or DISABLE in this world")
        chosen = [(str(text), self._named(text, what)) for text in ids]
        for _, ad_set in chosen:
            now = self.campaigns.budget(ad_set)
            if status == "DISABLE" and self.campaigns.runs(ad_set):
                self.campaigns.paused[ad_set] = now
                self._act(ad_set, 0)
            elif status == "ENABLE" and not self.campaigns.runs(ad_set):
                self._act(ad_set, now)
        return {f"{what}_list": [{f"{what}_id": text, "status": status} for text, _ in chosen]}

    def _report(self, call: Call) -> Any:
        """Sums by day and level. A day is told once it is over."""
        self._own(call.asked("advertiser_id"))
        level, kind = call.asked("data_level"), call.asked("report_type")
        if kind != "BASIC" or level not in _LEVELS:
            raise wrong(f"report_type: BASIC; data_level: one of {', '.join(_LEVELS)}")
        dimensions = self._texts(call, "dimensions", [])
        metrics = self._texts(call, "metrics", ["spend", "impressions"])
        if not dimensions or set(dimensions) - {_LEVELS[level], "stat_time_day"}:
            raise wrong(f"dimensions: {_LEVELS[level]} and stat_time_day")
        unknown = [name for name in metrics if name not in _METRICS]
        if unknown:
            raise wrong(f"metrics: this world does not know {unknown[0]}")
        first, last = self._dates(call)
        sums: dict[tuple[str, ...], Counter[str]] = {}
        for day in range(first, last + 1):
            for ad_set in self.campaigns.sets:
                got = self.campaigns.delivered(ad_set, day)
                if got:
                    key = tuple(self._dimension(name, ad_set, day) for name in dimensions)
                    sums.setdefault(key, Counter()).update(got)
        rows = [
            {
                "dimensions": dict(zip(dimensions, key, strict=True)),
                "metrics": {name: _METRICS[name](counted) for name in metrics},
            }
            for key, counted in sums.items()
        ]
        return self._paged(call, rows)

    def _dates(self, call: Call) -> tuple[int, int]:
        """Days of the world; thirty at most, as there."""
        try:
            first, last = (date.fromisoformat(call.asked(name)) for name in ("start_date", "end_date"))
        except ValueError as error:
            raise wrong("start_date and end_date: dates such as 2026-01-05") from error
        if not 0 <= (last - first).days < 30:
            raise wrong("start_date to end_date: thirty days at most")
        beginning = names.calendar_date(0)
        return (first - beginning).days, (last - beginning).days

    def _dimension(self, name: str, ad_set: int, day: int) -> str:
        if name == "stat_time_day":
            return f"{names.calendar_date(day).isoformat()} 00:00:00"
        campaign, group = self.campaigns.ids(ad_set)
        return {"advertiser_id": self.advertiser, "campaign_id": campaign, "adgroup_id": group}[name]
