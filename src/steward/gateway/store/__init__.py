"""The gateway's tables."""

from steward.gateway.store.actions import ActionStore, Row
from steward.gateway.store.alarms import AlarmStore
from steward.gateway.store.effects import EffectStore, standing_of
from steward.gateway.store.listing import ListingStore
from steward.gateway.store.versions import VersionStore

__all__ = ["ActionStore", "AlarmStore", "EffectStore", "ListingStore", "Row", "VersionStore", "standing_of"]
