"""What an API key may be allowed to do, and what each role may where nobody says more. Nothing is not named here."""

from typing import Literal

Role = Literal["founder", "manager", "operator", "agent", "service"]

SCOPES = {
    "events:write": "send events",
    "events:read": "read events and follow the log",
    "ledger:read": "read balances, transfers and budgets",
    "settlements:write": "bring statements in and run reconciliation",
    "breaks:resolve": "resolve what statements and books do not agree on; people only",
    "payouts:write": "prepare payouts, see who is paid where and ask for a change; who agrees is another matter",
    "actions:propose": "propose actions",
    "actions:read": "read actions and what became of them",
    "actions:manage": "call back, resolve and take back actions",
    "approvals:read": "see what waits for people",
    "approvals:decide": "approve and reject; people only",
    "kill:read": "see what is stopped",
    "kill:write": "stop effects; to let them go on takes a manager",
    "tools:read": "see tools and what they need",
    "audit:read": "read alerts, quarantines, the catalog in force and checkpoints",
    "keys:admin": "make and end keys; founders only",
}
PEOPLE_ONLY = frozenset({"approvals:decide", "keys:admin", "breaks:resolve"})
"""What no key of an agent or a service may do, whatever is asked for."""

_READ = ("events:read", "ledger:read", "actions:read", "approvals:read", "kill:read", "tools:read", "audit:read")
ROLES: dict[Role, tuple[str, ...]] = {
    "founder": tuple(sorted(set(SCOPES) - {"events:write"})),
    "manager": tuple(
        sorted(
            [
                *_READ,
                "actions:propose",
                "actions:manage",
                "approvals:decide",
                "kill:write",
                "settlements:write",
                "breaks:resolve",
                "payouts:write",
            ]
        )
    ),
    "operator": tuple(sorted([*_READ, "actions:propose", "kill:write", "settlements:write", "payouts:write"])),
    "agent": ("actions:propose", *sorted(_READ)),
    "service": ("events:write",),
}
"""Scopes of a key whose maker names none."""
