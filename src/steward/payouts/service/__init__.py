"""Prepared, agreed to, followed on their way; who is paid where; whether a name is on a list."""

from steward.payouts.service.doors import Doors
from steward.payouts.service.payees import Payees
from steward.payouts.service.payouts import Payouts
from steward.payouts.service.screening import Screening

__all__ = ["Doors", "Payees", "Payouts", "Screening"]
