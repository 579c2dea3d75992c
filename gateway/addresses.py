"""Where the gateway is: for itself, for a sandbox on its own server, and for providers that call back."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from gateway.config import Config, ProviderConfig, ServerConfig

SANDBOX = "sandbox"
SANDBOX_API = "/sandbox/v1/api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Both without a slash at the end; `public` is empty when nobody can call back."""

    local: str
    public: str

    @classmethod
    def of(cls, server: ServerConfig, port: int) -> Addresses:
        return cls(local=f"http://{reachable(server.host)}:{port}", public=server.public_url)

    def callback_url(self, provider: ProviderConfig, token: str = "") -> str | None:
        """Where a provider's callbacks come to: those of one attempt with its token, all others without. Those that are
        signed all come to one place."""
        base = self.local if provider.kind == SANDBOX else self.public
        if not base:
            return None
        if provider.signs_callbacks:
            return f"{base}/callbacks/{provider.name}"
        path = f"{base}/callbacks/{provider.name}/{provider.callback_secret}"
        return f"{path}/{token}" if token else path

    def fill_in(self, config: Config) -> Config:
        """The configuration with what a sandbox on our own server need not be told by an operator."""
        return replace(config, providers=tuple(self._filled_in(provider) for provider in config.providers))

    def _filled_in(self, provider: ProviderConfig) -> ProviderConfig:
        if provider.kind != SANDBOX:
            return provider
        return replace(
            provider,
            base_url=provider.base_url or self.local + SANDBOX_API,
            key=provider.key or secrets.token_urlsafe(24),
            callback_secret=provider.callback_secret or secrets.token_urlsafe(24),
        )


def reachable(host: str) -> str:
    """An address at which this machine reaches a server that listens on `host`."""
    if host in ("0.0.0.0", ""):  # noqa: S104 - compared, not listened on
        return "127.0.0.1"
    if host == "::":
        return "[::1]"
    return f"[{host}]" if ":" in host else host
