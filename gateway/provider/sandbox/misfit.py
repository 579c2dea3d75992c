"""What is wrong with the arguments of a template message."""

from __future__ import annotations


class Misfit(Exception):
    """The arguments don't fit the template; the text says where and what was expected."""


class Miscount(Misfit):
    """There are too many of them, or too few."""


class Overlong(Misfit):
    """The text is too long once they stand in it."""
