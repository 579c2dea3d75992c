"""A provider to try things on: DecisionTelecom's API and the platform's own, with the platform's rules, and customers
that a person or a test plays.

It reads the rules by itself and shares none of the gateway's: a mistake of ours must not be agreed with here.
"""

from gateway.provider.sandbox.app import PREFIX, run_sandbox, sandbox_app, standalone_app
from gateway.provider.sandbox.clock import TravelClock
from gateway.provider.sandbox.cloud.account import Account, Accounts
from gateway.provider.sandbox.page import DeskAccess

__all__ = ["PREFIX", "Account", "Accounts", "DeskAccess", "TravelClock", "run_sandbox", "sandbox_app", "standalone_app"]
