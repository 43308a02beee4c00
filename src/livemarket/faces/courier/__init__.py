"""Couriers behind one label API, in ShipEngine's dialect: labels, tracking, webhooks. `face.py` first."""
