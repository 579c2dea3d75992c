"""Why a benchmark ends without figures."""


class CannotMeasure(Exception):
    """There is no honest figure to be had, for the reason that is told."""
