"""The kinds of value that payloads share. All are bounded, so that no event can fill the log by itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

# A thousand million million minor units: far beyond any shop, far inside 64 bits however many are added up.
_MOST = 10**15
Minor = Annotated[int, Field(strict=True, ge=-_MOST, le=_MOST)]
"""Minor units of a currency, or another whole number that may be negative."""

NonNegative = Annotated[int, Field(strict=True, ge=0, le=_MOST)]
"""The same without a sign: amounts, counts, durations."""

Name = Annotated[str, Field(min_length=1, max_length=256)]
"""An id, a code or another short name."""

Note = Annotated[str, Field(max_length=2000)]
"""A sentence or two for people."""

Message = Annotated[str, Field(max_length=50_000)]
"""What somebody wrote, whole."""
