"""Pure parts of the ledger: posting rules, digests, journals for outside tools."""
