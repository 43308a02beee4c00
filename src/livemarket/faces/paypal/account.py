"""One PayPal account: what callers made in it besides what the world holds, and the events it tells."""

from __future__ import annotations

import hashlib
from typing import Any

from livemarket.faces.business import DAY, Business, iso
from livemarket.faces.faults import Faults
from livemarket.faces.idempotency import Keys
from livemarket.faces.paypal.objects import Objects
from livemarket.faces.paypal.signing import Signer
from livemarket.faces.view import View
from livemarket.faces.webhooks import Notice, Post

NAME = "paypal"


class Account:
    """What stands behind the paths."""

    def __init__(self, business: Business, faults: Faults, seed: int) -> None:
        self.business = business
        self.faults = faults
        self.keys = Keys(45 * DAY)
        self.view = View(business)
        self.objects = Objects(self.view)
        self.signer = Signer()
        self.post = Post(NAME, self.signer.headers, faults)
        self.batches: dict[str, dict[str, Any]] = {}
        self.events: dict[str, dict[str, Any]] = {}
        self.seed = seed
        made = hashlib.sha256(f"livemarket/paypal/{seed}".encode()).hexdigest()
        self.client, self.secret = f"SIM{made[:29]}", made[29:]

    def event(self, kind: str, resource_type: str, resource: dict[str, Any], at: int) -> Notice:
        """One webhook event, remembered for the list of events."""
        key = f"WH-{hashlib.sha256(f'{kind}/{at}/{sorted(resource.items())!r}'.encode()).hexdigest()[:24].upper()}"
        self.events[key] = {
            "id": key, "event_version": "1.0", "resource_version": "2.0", "create_time": iso(at), "event_type": kind,
            "resource_type": resource_type, "summary": "simulated", "resource": resource,
            "links": [{"rel": "self", "href": f"{self.signer.base}/v1/notifications/webhooks-events/{key}",
                       "method": "GET"}],
        }  # fmt: skip
        return Notice(key, kind, self.events[key])
