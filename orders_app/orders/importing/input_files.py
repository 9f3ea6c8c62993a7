"""Opening the input: files or standard input, in any encoding, CSV or JSON Lines."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from orders_app.orders.importing.options import Format, ImportFailed, ImportOptions, WrongEncoding

STANDARD_INPUT = "-"
LONGEST_LINE = 16 * 1024 * 1024
_SUFFIXES = {
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".txt": Format.CSV,
}


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file, or standard input; `name` is what a person calls it, `label` where that is not its path."""

    path: str
    stdin: BinaryIO | None = None
    label: str | None = None

    @property
    def name(self) -> str:
        return self.label or ("stdin" if self.path == STANDARD_INPUT else self.path)

    def size(self) -> int | None:
        """Its size in bytes; None where that cannot be known."""
        if self.path == STANDARD_INPUT:
            return None
        try:
            return Path(self.path).stat().st_size
        except OSError as error:
            raise self._unreadable(error) from error

    @contextmanager
    def lines(
        self, options: ImportOptions, advance: Callable[[int], object]
    ) -> Iterator[tuple[Format, Iterator[str]]]:
        """Its format, and its physical lines with their ends.  `advance` is told how many bytes were read."""
        try:
            with self._open(advance) as stream:
                beginning = stream.peek(4096)
                self._check_text(beginning, options.encoding)
                kind = options.format or _format_of(self.name, beginning, options)
                text = io.TextIOWrapper(stream, encoding=options.encoding, newline="")
                try:
                    yield kind, self._lines(text, options.encoding)
                finally:
                    text.detach()
        except OSError as error:
            raise self._unreadable(error) from error

    def _check_text(self, beginning: bytes, encoding: str) -> None:
        """Raise `ImportFailed` for what is plainly something else, rather than for its first odd byte."""
        if beginning.startswith(b"PK\x03\x04"):
            raise ImportFailed(f"{self.name} is a ZIP file or a workbook; save it as CSV.")
        if b"\0" in beginning and not encoding.lower().startswith(("utf-16", "utf_16", "utf-32", "utf_32")):
            raise ImportFailed(
                f"{self.name} is no text.  If it is UTF-16, name its encoding: --encoding utf-16."
            )
        if beginning.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"[") and b"{" in beginning[:200]:
            raise ImportFailed(
                f"{self.name} is a JSON array; JSON Lines has one order a line and no brackets."
            )

    def _unreadable(self, error: OSError) -> ImportFailed:
        return ImportFailed(f"{self.name} cannot be read: {error.strerror or error}.")

    def _open(self, advance: Callable[[int], object]) -> io.BufferedReader:
        raw = self.stdin if self.path == STANDARD_INPUT else Path(self.path).open("rb", buffering=0)  # noqa: SIM115  (closed with the reader)
        if raw is None:
            raise ImportFailed("There is no standard input.")
        return io.BufferedReader(_Counted(raw, advance), buffer_size=256 * 1024)

    def _lines(self, text: io.TextIOWrapper, encoding: str) -> Iterator[str]:
        number = 0
        try:
            while line := text.readline(LONGEST_LINE):
                number += 1
                if len(line) >= LONGEST_LINE:
                    raise ImportFailed(
                        f"{self.name}, line {number}: a line of {LONGEST_LINE} characters is no order."
                    )
                yield line
        except UnicodeError as error:
            what = (
                f"byte 0x{error.object[error.start]:02x}" if isinstance(error, UnicodeDecodeError) else error
            )
            raise WrongEncoding(
                f"{self.name} is not {encoding.removesuffix('-sig')} ({what}, after line {number}).  "
                "Name its encoding, for example --encoding cp1252."
            ) from error


class _Counted(io.RawIOBase):
    """A binary stream that tells how much of it has been read."""

    def __init__(self, stream: BinaryIO | io.RawIOBase, advance: Callable[[int], object]) -> None:
        self._stream = stream
        self._advance = advance

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed: WriteableBuffer
        # A pipe is read as it comes: waiting for a full buffer would hold back what is there.
        read = getattr(self._stream, "read1", self._stream.read)
        data = read(len(buffer)) or b""
        buffer[: len(data)] = data
        self._advance(len(data))
        return len(data)

    def close(self) -> None:
        if not isinstance(self._stream, io.BufferedReader):
            self._stream.close()
        super().close()


def _format_of(name: str, beginning: bytes, options: ImportOptions) -> Format:
    """By the end of the name, else by the first character that is no blank."""
    known = _SUFFIXES.get(Path(name).suffix.lower())
    if known:
        return known
    beginning = beginning.removeprefix(codecs.BOM_UTF8).lstrip()
    if beginning:
        return Format.JSONL if beginning.startswith(b"{") else Format.CSV
    return Format.CSV if options.columns.are_given else Format.JSONL
