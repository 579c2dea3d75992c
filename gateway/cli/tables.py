"""Tables for people: as wide as the terminal is, and never at the cost of an id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")
_WHOLE = frozenset({"id", "contact", "status"})
"""Columns that are never folded: what people copy, and what they look for."""
_INSTANTS = re.compile(r"at|\w+_at")
_NARROWEST = 6
_DATE = len("2026-12-31")
"""The time then stands on the next line."""


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table at a terminal, or a block per row where it is too narrow for one; where a program reads, tabs and one
    line per row whatever its width."""
    console = Console(highlight=False, markup=False, emoji=False)
    lines = [[shown(cell) for cell in row] for row in rows]
    widths = _widths(columns, lines, console.width - len(columns) + 1)
    if not console.is_terminal:
        for line in [columns, *lines]:
            click.echo("\t".join(line))
    elif widths is None:
        console.print(*(_block(columns, line, console.width) for line in lines), sep="")
    else:
        console.print(_table(columns, lines, widths))


def shown(text: str) -> str:
    """An instant to the second; any other text without what a terminal would obey, as the words of a provider are not
    ours."""
    if instant := _INSTANT.fullmatch(text):
        return f"{instant[1]} {instant[2]}Z"
    return "".join(character if character.isprintable() else " " for character in text)


def _table(columns: Sequence[str], lines: Sequence[Sequence[str]], widths: Sequence[int]) -> Table:
    heads = [Column(name, width=width, overflow="fold") for name, width in zip(columns, widths, strict=True)]
    table = Table(*heads, box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for line in lines:
        table.add_row(*line)
    return table


def _widths(columns: Sequence[str], lines: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """How wide each column is to be: the widest give way first. None: there is no room for them all."""
    widths = [max(cell_len(cell) for cell in cells) for cells in zip(columns, *lines, strict=True)]
    least = [_least(name, width) for name, width in zip(columns, widths, strict=True)]
    if sum(least) > room:
        return None
    while sum(widths) > room:
        may_give = [index for index, width in enumerate(widths) if width > least[index]]
        widths[max(may_give, key=widths.__getitem__)] -= 1
    return widths


def _least(name: str, width: int) -> int:
    if name in _WHOLE:
        return width
    return min(width, max(len(name), _DATE) if _INSTANTS.fullmatch(name) else _NARROWEST)


def _block(columns: Sequence[str], line: Sequence[str], width: int) -> Table:
    """One row from top to bottom: a line for each column that has something."""
    indent = max(map(len, columns)) + 1
    heads = Column(width=indent), Column(width=max(1, width - indent - 1), overflow="fold")
    block = Table.grid(*heads, padding=(0, 1, 0, 0))
    for name, cell in zip(columns, line, strict=True):
        if cell:
            block.add_row(f"{name}:", cell)
    block.add_row()
    return block
