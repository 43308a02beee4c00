"""The pure heart of the verifier: language, evaluation, obligations, checker; no clock, files or prover.

Read next     formula.py for the language, evaluate.py for its meaning, check.py for what is trusted.
"""
