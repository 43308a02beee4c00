"""What an API key may be allowed to do. Nothing that is not named here."""

SCOPES = {
    "events:write": "send events",
    "events:read": "read events and follow the log",
    "ledger:read": "read balances, transfers and budgets",
    "actions:propose": "propose actions, and call back its own",
    "actions:read": "read actions, decisions and their evidence",
    "approvals:read": "see what waits for a person",
    "approvals:decide": "approve and reject, as far as the key's role allows",
    "kill:read": "see which kill switches are on",
    "kill:write": "throw and lift kill switches",
    "tools:read": "read what systems are connected and what they can do",
    "audit:read": "read alerts, quarantines, the catalog in force and checkpoints",
    "keys:admin": "make, rotate and revoke API keys",
}
