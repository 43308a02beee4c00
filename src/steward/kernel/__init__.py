"""The few types everything stands on: money, ids, instants, canonical JSON, errors.

Promises      exact arithmetic; one canonical byte form per value; typed errors with stable codes.
Never         imports anything else of this project; reads a clock; draws a random number; uses a float.
Read next     money.py, then canonical.py.
"""
