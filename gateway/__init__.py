"""A WhatsApp session and template-compliance gateway."""

__version__ = "0.1.0"
