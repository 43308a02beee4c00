"""What an API key may be allowed to do. Nothing that is not named here."""

SCOPES = {
    "events:write": "send events",
    "events:read": "read events and follow the log",
    "ledger:read": "read balances and transfers",
}
