"""A warehouse of others (3PL) in ShipBob's dialect: orders to fulfil, stock, receiving, webhooks. `face.py` first."""
