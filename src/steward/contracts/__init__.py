"""Frozen models that cross package doors; one file per owning package; their JSON Schemas are in schemas/.

Promises      immutable; integers for money, text for ratios; the same shape in Python, SQL and JSON.
Never         holds behaviour beyond its own validation; imports anything but the kernel.
Read next     event.py, action.py, proof.py.
"""
