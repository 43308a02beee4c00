"""The business as data: rules, limits, accounts, posting rules, events, action kinds, tools, agents.

Promises      everything a business person may change is a file beside this one; the whole is loaded and
              cross-checked before anything runs; its digest is in every certificate.
Never         holds code that acts; knows a service.
Read next     limits.yaml, invariants/, postings.yaml, then loader.py.
"""

from steward.catalog.agreements import load_contracts
from steward.catalog.formulas import Place, places, rewritten
from steward.catalog.links import check_links
from steward.catalog.loader import Catalog, Problem, catalog_of, load_catalog, parse_yaml, read_yaml_folder
from steward.catalog.recon import load_recon
from steward.catalog.rules import check_rules, counts
from steward.catalog.timetable import check_schedules, load_schedules
from steward.catalog.toolbook import ToolBook

__all__ = [
    "Catalog",
    "Place",
    "Problem",
    "ToolBook",
    "catalog_of",
    "check_links",
    "check_rules",
    "check_schedules",
    "counts",
    "load_catalog",
    "load_contracts",
    "load_recon",
    "load_schedules",
    "parse_yaml",
    "places",
    "read_yaml_folder",
    "rewritten",
]
