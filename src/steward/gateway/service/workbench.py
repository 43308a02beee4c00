"""What a person needs who adds a tool: a draft from an official description, and what is still to be decided."""

from __future__ import annotations

from steward.gateway.core.draft import draft
from steward.gateway.service.lint import book_of, route_problems, tool_problems


class Workbench:
    """Works on files alone; no database, no network."""

    drafted = staticmethod(draft)
    book_of = staticmethod(book_of)
    route_problems = staticmethod(route_problems)
    tool_problems = staticmethod(tool_problems)
