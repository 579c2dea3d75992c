"""The platform's own API: Meta's Cloud API, and 360dialog's way of it."""
