"""Logs: one JSON object per event on stderr. Ids and facts; never content, secrets or whole numbers."""

from gateway.log.configuring import configure_logging

__all__ = ["configure_logging"]
