"""The store: everything that must not be lost, behind the verbs of ``gateway.ports``."""

from gateway.store.opening import open_for_reading, open_store
from gateway.store.sqlite import SqliteReader, SqliteStore

__all__ = ["SqliteReader", "SqliteStore", "open_for_reading", "open_store"]
