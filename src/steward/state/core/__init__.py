"""Pure parts of state: which purchase a refund is for, and what a snapshot is."""
