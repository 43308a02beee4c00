"""The pure world: arrays in, arrays out. `step.py` first."""
