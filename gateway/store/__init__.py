"""The store: everything that must not be lost, behind the verbs of ``gateway.ports``."""

from gateway.store.opening import open_for_reading, open_store
from gateway.store.reader import SqliteReader
from gateway.store.sqlite import SqliteStore

__all__ = ["SqliteReader", "SqliteStore", "open_for_reading", "open_store"]
