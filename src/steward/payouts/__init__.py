"""What creators and suppliers are owed, and the way it takes to reach them: prepared, agreed to, sent, seen to land.

Promises      a payout is the sum of commissions and what is taken off, to the unit, or what is undisputed of one bill,
              and its reference is a digest of exactly that; neither is in two payouts that were not dropped; money
              leaves through the gateway alone.
Never         sends anything, approves anything, or computes from a float.
Read next     core/owed.py and core/bills.py, then service/payouts.py.
"""

from steward.payouts.core.recipients import chosen
from steward.payouts.service import Doors, Payees, Payouts, Screening

__all__ = ["Doors", "Payees", "Payouts", "Screening", "chosen"]
