"""Finds certificates and counterexamples. Untrusted: everything found here is checked again by the core.

Runs in its own process (`python -m steward.verifier.provers`), speaks JSON lines, holds no credentials, is
killed when it takes too long, and ends when its parent does.

Promises      an answer for every obligation: proved with a tree, refuted with a point, or unknown.
Never         is believed; imported by the core.
Read next     search.py, then linear.py.
"""
