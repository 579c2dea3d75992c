"""The command line."""

from gateway.cli.commands import cli, main

__all__ = ["cli", "main"]
