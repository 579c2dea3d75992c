"""Where a gateway keeps what it makes, and where what an operator writes stands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from gateway.config import RetentionConfig
from gateway.config_file.units import duration
from gateway.config_file.values import Values, given

_MEMORY = "memory:"
_SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What a gateway makes: its store and its operator's socket."""

    store_url: str
    operator: Path

    @property
    def store_file(self) -> Path | None:
        """None: the store is in memory."""
        return None if self.store_url == _MEMORY else Path(unquote(self.store_url.removeprefix(_SQLITE)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """What an operator writes besides the configuration."""

    templates: Path
    schemas: Path | None


def places_in(tree: Values, folder: Path) -> Places:
    """The places; relative paths count from `folder`."""
    return Places(
        store_url=_store_url(tree.get("store", {}).get("url", "sqlite:///gateway.db"), folder),
        operator=folder / tree.get("server", {}).get("operator", "gateway.sock"),
    )


def folders_in(tree: Values, folder: Path) -> Folders:
    """The folders; relative paths count from `folder`."""
    paths = tree.get("paths", {})
    return Folders(
        templates=folder / paths.get("templates", "templates"), schemas=_schemas(paths.get("schemas"), folder)
    )


def retention_in(tree: Values) -> RetentionConfig:
    return RetentionConfig(**given(tree.get("retention", {}), content=duration, history=duration))


def _store_url(url: str, folder: Path) -> str:
    if url == _MEMORY:
        return url
    written = url.removeprefix(_SQLITE)
    return url if written.startswith("/") else f"{_SQLITE}{quote(str(folder))}/{written}"


def _schemas(written: str | None, folder: Path) -> Path | None:
    if written is None:
        usual = folder / "schemas"
        return usual if usual.is_dir() else None
    return folder / written if written else None
