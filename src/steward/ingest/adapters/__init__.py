"""Providers asked over HTTP."""

from steward.ingest.adapters.providers import POLLED, Providers

__all__ = ["POLLED", "Providers"]
