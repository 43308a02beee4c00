"""PayPal's dialect: orders and captures, refunds, disputes, payouts, reports, webhooks. `face.py` first."""
