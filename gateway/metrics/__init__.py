"""What the gateway counts, for Prometheus. Only this room knows that it is Prometheus."""

from gateway.metrics.counting import OUTCOMES, Metrics
from gateway.metrics.gauges import SlotUse
from gateway.metrics.names import OTHER, Names
from gateway.metrics.scrape import Exposition, Scrape

__all__ = ["OTHER", "OUTCOMES", "Exposition", "Metrics", "Names", "Scrape", "SlotUse"]
