"""Files of lines that commands read and write; `-` is standard input and output."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from streams.cli import Refusal

if TYPE_CHECKING:
    from streams.core.events import Event

BAD_LINES_TOLD = 20
"""So many bad lines are named before reading stops: enough to see what is wrong with all of them."""


@contextmanager
def reading(name: str, doing: str) -> Iterator[IO[str]]:
    """Open an input of UTF-8; on a terminal a file's reading shows how far it is under the word ``doing``."""
    try:
        if name == "-":
            yield sys.stdin
            return
        from rich.console import Console
        from rich.progress import open as open_with_progress

        console = Console(stderr=True)
        with open_with_progress(
            name, "r", encoding="utf-8", description=doing, console=console, transient=True,
            disable=not console.is_terminal,
        ) as lines:  # fmt: skip
            yield lines
    except UnicodeDecodeError as error:
        raise Refusal(f"{name} is not UTF-8: {error.reason} at byte {error.start}") from None
    except OSError as error:
        if error.filename != name:
            raise
        raise Refusal(f"{name} cannot be read: {error.strerror}") from None


@contextmanager
def writing(name: str) -> Iterator[IO[str]]:
    """Open an output of UTF-8. A file gets its name when it is whole: whatever goes wrong, no half of it stays."""
    if name == "-":
        yield sys.stdout
        sys.stdout.flush()
        return
    path = Path(name)
    # Into a device or a pipe there is nothing to put in place afterwards.
    part = path.with_name(f".{path.name}.{os.getpid()}") if path.is_file() or not path.exists() else path
    try:
        out = part.open("w", encoding="utf-8")
    except OSError as error:
        raise Refusal(f"{name} cannot be written: {error.strerror}") from None
    try:
        with out:
            yield out
        if part != path:
            part.replace(path)
    finally:
        if part != path:
            part.unlink(missing_ok=True)


def numbered_events(lines: IO[str], name: str) -> Iterator[tuple[int, "Event"]]:
    """Yield each line's number and event; empty lines are passed over.

    From the first bad line on nothing is yielded any more: the rest is only read to name its bad lines as well. Raises
    Refusal then.
    """
    from streams.wire.ndjson import BadLine, read_event

    bad: list[str] = []
    for number, line in enumerate(lines, start=1):
        try:
            event = read_event(line) if line.strip() else None
        except BadLine as error:
            bad.append(f"{name}:{number}: {error}")
            if len(bad) == BAD_LINES_TOLD:
                bad.append("and there may be more: reading stopped here")
                break
            continue
        if event is not None and not bad:
            yield number, event
    if bad:
        raise Refusal("\n".join(["these lines are no events:", *bad]) if len(bad) > 1 else bad[0])
