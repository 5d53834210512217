"""Why a plan is refused: sentences with file, line and path, all of them at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing to put right. ``line`` counts from 1; 0 means the file as a whole. ``path`` is empty at the top level."""

    file: str
    line: int
    path: str
    sentence: str

    def __str__(self) -> str:
        """Return ``file:line: path: sentence``, leaving out what is not known."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (where, self.path, self.sentence) if part)


class PlanError(ValueError):
    """A plan that cannot be compiled; ``refusals`` holds every reason, in the order of the file's lines."""

    def __init__(self, refusals: Iterable[Refusal]) -> None:
        """Keep the refusals; the error's text is one line for each."""
        self.refusals = tuple(sorted(refusals, key=lambda refusal: refusal.line))
        super().__init__("\n".join(str(refusal) for refusal in self.refusals))


class Report:
    """Collects the refusals of one file while it is read."""

    def __init__(self, file: str) -> None:
        """Start with no refusals; ``file`` is the name that the sentences print."""
        self.file = file
        self.refusals: list[Refusal] = []

    def refuse(self, line: int, path: str, sentence: str) -> None:
        """Add one refusal, once: an alias may lead to the same line twice."""
        refusal = Refusal(self.file, line, path, sentence)
        if refusal not in self.refusals:
            self.refusals.append(refusal)

    def check(self) -> None:
        """Raise `PlanError` if anything was refused."""
        if self.refusals:
            raise PlanError(self.refusals)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean "…"?`` for the known word nearest to a misspelt one, else nothing."""
    words = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), words, n=1)
    return f'; did you mean "{words[near[0]]}"?' if near else ""
