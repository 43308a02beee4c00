"""The shell that writes a world down: events, settlements, bank, bills, truth. `run.py` first."""
