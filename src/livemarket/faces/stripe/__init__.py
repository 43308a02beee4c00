"""Stripe's dialect, as its published description of 2023-09-12 has it. `face.py` first."""
