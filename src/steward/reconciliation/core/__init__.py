"""The matching cascade and the names of what is left over: pure.

Read next: cascade.py (the order of steps), pool.py, settling.py (what a block allows to be said), breaks.py,
conserve.py.
"""
