"""The business as data: rules, limits, accounts, posting rules, events, action kinds, tools, agents.

Promises      everything a business person may change is a file beside this one; the whole is loaded and
              cross-checked before anything runs; its digest is in every certificate.
Never         holds code that acts; knows a service.
Read next     limits.yaml, invariants/, postings.yaml, then loader.py.
"""

from steward.catalog.links import check_links
from steward.catalog.loader import Catalog, Problem, load_catalog, parse_yaml, read_yaml_folder

__all__ = ["Catalog", "Problem", "check_links", "load_catalog", "parse_yaml", "read_yaml_folder"]
