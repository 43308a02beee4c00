"""A help desk in the dialect of Zendesk's Support API: tickets, comments, users, search, webhooks. `face.py` first."""
