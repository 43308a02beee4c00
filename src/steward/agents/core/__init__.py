"""Pure parts of agents: how a refund request and a price review become proposals."""
