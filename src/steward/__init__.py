"""Steward: software that runs a live-shopping business and can prove that each thing it does is safe.

Events come in and are kept for ever (`events`, `ingest`). Money lands in double-entry books (`ledger`).
Agents (`agents`) propose actions; a snapshot of the business (`state`) and a forecast with an interval
(`world_model`) say what each option would do; the verifier (`verifier`) certifies which options break no
rule of the catalog (`catalog`); a policy (`policy`) chooses among those and logs its propensity; the
gateway (`gateway`), the only way out, executes or, today, records in shadow what it would have sent.

Promises      every action passes one spine; every fact is in one Merkle-logged event log; money is integers.
Never         acts on an option that was not proved; drops an input line silently.
Read next     control/act.py: the spine, top to bottom.
"""
