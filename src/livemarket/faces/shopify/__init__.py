"""Shopify's Admin API in front of the shop's own site: GraphQL, and the REST paths that are still asked for.

Shopify publishes no machine-readable description of it; names and shapes follow its published reference. `face.py`
first.
"""
