"""The HTTP faces: the providers' own dialects in front of one world, and a control face beside them.

Read `door.py` first: a face is a table of routes, a way to say no, and what it tells when something happened. Clock,
faults, idempotency, pages and webhooks are the frame's. `business.py` lets acts into the world.
Never: shows a hidden cause; only the control face speaks of the run itself.
"""
