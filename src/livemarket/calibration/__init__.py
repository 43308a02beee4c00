"""Simulated beside published: one page made by one command. `page.py` first."""
