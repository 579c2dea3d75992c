"""The page at which a person plays both sides: the customer's phone beside the agent's desk.

The desk is a client of the gateway like any other: what it shows of decisions and statuses are the gateway's own words.
"""

from gateway.provider.sandbox.page.desk_client import DeskAccess
from gateway.provider.sandbox.page.routes import Page

__all__ = ["DeskAccess", "Page"]
