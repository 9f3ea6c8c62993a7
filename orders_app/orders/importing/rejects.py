"""The rejects file: what was refused, as it stood in the input, with the reason."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from orders_app.orders.importing.input_files import STANDARD_INPUT, InputFile
from orders_app.orders.importing.options import ImportFailed
from orders_app.orders.importing.spool import Refused, Spool


def default_path(first: InputFile) -> Path:
    """Beside the first file; for standard input in the current folder."""
    return Path("stdin.rejects.csv" if first.path == STANDARD_INPUT else f"{first.path}.rejects.csv")


class RejectsFile:
    """Tells of this run alone: one of an earlier run is removed, and without rejects there is none.

    It is opened before anything is brought in, so that a place that cannot be written to is found out
    in time, and filled after that.
    """

    def __init__(self, path: Path, inputs: list[InputFile]) -> None:
        self.path = path
        for file in inputs:
            if file.path != STANDARD_INPUT and path.exists() and path.samefile(file.path):
                raise ImportFailed(f"{path} is one of the files to import; name another one with --rejects.")
        self._file: TextIO | None = None
        try:
            if path.exists():  # on a read-only disk even removing nothing is an error
                path.unlink()
        except OSError as error:
            raise self._failed(error) from error

    def open(self) -> None:
        """Make the file."""
        try:
            self._file = self.path.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise self._failed(error) from error

    def fill(self, spool: Spool, names: list[str], headers: list[tuple[str, ...]]) -> None:
        """Write what was refused; `names` and `headers` are those of the files, in their order."""
        if self._file is None:
            return
        written = write_rejects(self._file, spool.refused(), names, headers)
        self._file.close()
        self._file = None
        if not written:
            self.path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def _failed(self, error: OSError) -> ImportFailed:
        return ImportFailed(
            f"The rejects file {self.path} cannot be written: {error.strerror or error}.  "
            "Name another place with --rejects."
        )


def write_rejects(
    file: TextIO,
    rejects: Iterable[Refused],
    names: list[str],
    headers: list[tuple[str, ...]],
    say: Callable[[str], str] = str,
) -> int:
    """Write these with a heading, and return how many they were; `say` puts a reason into other words."""
    columns, places = _joined(headers)
    writer = csv.writer(file)
    written = 0
    for refused in rejects:
        if not written:
            writer.writerow(["file", "line", "reason", *columns])
        written += 1
        cells = [""] * len(columns)
        own = places[refused.file]
        for place, cell in zip(own, refused.cells, strict=False):
            cells[place] = cell
        heading = [names[refused.file], refused.line, say(refused.reason)]
        writer.writerow([*heading, *cells, *refused.cells[len(own) :]])
    return written


def _joined(headers: list[tuple[str, ...]]) -> tuple[list[str], list[list[int]]]:
    """The columns of all files, each once, and where those of each file stand among them."""
    columns: list[tuple[str, int]] = []
    places = []
    for header in headers:
        own = []
        for number, name in enumerate(header):
            column = (name, header[:number].count(name))
            if column not in columns:
                columns.append(column)
            own.append(columns.index(column))
        places.append(own)
    return [name for name, _ in columns], places
