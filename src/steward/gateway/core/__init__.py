"""Pure parts of the gateway: admission, risk, and the exact request of a verb."""
