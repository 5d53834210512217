"""YAML with the place of every value: nodes are read as written, so that `17:00`, `0800` and `no` stay text.

ruamel's nodes carry a line each and are never turned into Python values by YAML's own guesses; what a text means is
decided by the keyword it stands behind (see `keywords`).
"""

import re
from decimal import Decimal
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from streams.core.plan import SECOND_US
from streams.plans.keywords import LATER, MEANT, PHRASES, SECTIONS, Keyword
from streams.plans.refusals import Report, suggestion

TEXT_MAX = 1 << 20
"""Characters of a plan's file at most: a hundred times a large one."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
# The log refuses ids that hold what may be somebody's number (French forms), so a plan may not bring one in.
_PHONE_NUMBER = re.compile(r"(?<![0-9])(?:0[1-9][0-9]{8}|(?:00)?33[1-9][0-9]{8})(?![0-9])")
_NAME_RULE = "a name is 1 to 64 letters, digits, dots, dashes and underscores, and begins with a letter or digit"
_TAGS = {
    f"tag:yaml.org,2002:{tag}" for tag in ("str", "int", "float", "bool", "null", "timestamp", "merge", "map", "seq")
}


class Value:
    """One value of the file: its node, where it stands and where its refusals go."""

    def __init__(self, node: Node, path: str, line: int, report: Report) -> None:
        """Wrap a node; ``line`` is the line of its key where it has one."""
        self.node = node
        self.path = path
        self.line = line
        self.report = report

    def refuse(self, sentence: str) -> None:
        """Refuse this value."""
        self.report.refuse(self.line, self.path, sentence)

    def text(self, wanted: str) -> str | None:
        """Return a scalar's text as written; refuse anything else, ``wanted`` saying what belongs here."""
        if not isinstance(self.node, ScalarNode):
            self.refuse(f"wants {wanted}, not {_shape(self.node)}")
            return None
        text = str(self.node.value).strip()
        if not text or (self.node.style is None and text in {"~", "null"}):
            self.refuse(f"has no value; give {wanted}, or leave the line out")
            return None
        if not text.isprintable():
            self.refuse(f"wants {wanted} on one line without control characters")
            return None
        return text

    def name(self, what: str) -> str | None:
        """Return a scalar that is a name."""
        text = self.text(f"the name of {what}")
        if text is None or _refuse_name(self, text):
            return None
        return text

    def items(self, wanted: str) -> list["Value"]:
        """Return a list's values; the path counts them from 1."""
        if not isinstance(self.node, SequenceNode):
            shape = _shape(self.node)
            self.refuse(f"wants a list of {wanted}, not {shape}; write [one, two], or one per line after a dash")
            return []
        return [
            Value(node, f"{self.path}[{number}]", node.start_mark.line + 1, self.report)
            for number, node in enumerate(self.node.value, start=1)
        ]

    def pairs(self, wanted: str) -> dict[str, "Value"]:
        """Return a mapping's values by the text of their keys, refusing a key that stands there twice."""
        if not isinstance(self.node, MappingNode):
            self.refuse(f"wants {wanted}, not {_shape(self.node)}")
            return {}
        found: dict[str, Value] = {}
        for key_node, node in self.node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                self.report.refuse(line, self.path, f"has {_shape(key_node)} as a key; a key is one word")
                continue
            key = str(key_node.value)
            path = f"{self.path}.{key}" if self.path else key
            if key in found:
                self.report.refuse(line, path, f"stands twice; the first is in line {found[key].line}")
                continue
            found[key] = Value(node, path, line, self.report)
        return found

    def named(self, what: str) -> dict[str, "Value"]:
        """Return a mapping from names to values, refusing keys that are no names."""
        found = self.pairs(f"{what} by name")
        for key, value in found.items():
            _refuse_name(value, key)
        return found


class Section:
    """A mapping with the keywords of one section of the language."""

    def __init__(self, value: Value, section: str, *, words: tuple[Keyword, ...] | None = None) -> None:
        """Read the keys, refusing unknown ones, and required ones that are missing."""
        self.at = value
        self.words = known = {word.name: word for word in words or SECTIONS[section]}
        phrase = PHRASES[section]
        self._values = value.pairs(f"the keywords of {phrase}")
        for key, child in self._values.items():
            if key in LATER:
                child.refuse(f'"{key}" {LATER[key]}')
            elif key not in known:
                meant = [word for word in MEANT.get(key, ()) if word in known]
                near = suggestion(meant[0] if meant else key, known)
                child.refuse(f"is no keyword of {phrase}{near or '; it knows ' + ', '.join(known)}")
        if isinstance(value.node, MappingNode):
            for word in known.values():
                if word.required and word.name not in self._values:
                    value.refuse(f'lacks "{word.name}": {word.meaning} ({word.takes})')

    def get(self, name: str) -> Value | None:
        """Return the value behind a keyword, None if it is not there."""
        return self._values.get(name)

    def whole(self, name: str) -> int | None:
        """Return a whole number within its bounds; absent or refused: its default."""
        word = self.words[name]
        value = self._values.get(name)
        default = word.default if isinstance(word.default, int) else None
        if value is None:
            return default
        wanted = f"a whole number from {word.low} to {word.high}"
        text = value.text(wanted)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 16 and word.low <= int(text) <= word.high):
            value.refuse(f'wants {wanted}, not "{text}"')
            return default
        return int(text)

    def duration_us(self, name: str) -> int:
        """Return seconds, down to a millionth, as microseconds; absent or refused: the default."""
        word = self.words[name]
        default = (word.default if isinstance(word.default, int) else 0) * SECOND_US
        value = self._values.get(name)
        wanted = f"seconds from {word.low} to {word.high}"
        text = None if value is None else value.text(wanted)
        if value is None or text is None:
            return default
        micros = decimal_of(text, SECOND_US)
        if micros is None or not word.low * SECOND_US <= micros <= word.high * SECOND_US:
            value.refuse(f'wants {wanted}, not "{text}"')
            return default
        return micros

    def choice(self, name: str) -> str:
        """Return one of the words that a keyword takes, in the upper case of the compiled plan."""
        word = self.words[name]
        known = word.takes.split(", ")
        chosen = str(word.default or known[0])
        value = self._values.get(name)
        if value is not None:
            wanted = f"one of {word.takes}"
            text = value.text(wanted)
            if text in known:
                chosen = text
            elif text is not None:
                value.refuse(f'wants {wanted}, not "{text}"{suggestion(text, known)}')
        return chosen.upper()

    def yes(self, name: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self._values.get(name)
        text = None if value is None else value.text("true or false")
        if value is None or text is None:
            return default
        if text not in {"true", "false"}:
            value.refuse(f'wants true or false, not "{text}"')
            return default
        return text == "true"


def read(source: Path | str) -> tuple[str, Report]:
    """Return a plan's text and a report that names its file.

    A ``Path``, or a text without a line break, is a file's name; a text with one is the plan itself. A file that
    cannot be read is refused in the report, with an empty text.
    """
    if isinstance(source, str) and "\n" in source:
        return _bounded(source, Report("plan"))
    report = Report(str(source))
    try:
        return _bounded(Path(source).read_text(encoding="utf-8"), report)
    except OSError as error:
        report.refuse(0, "", f"cannot be read: {error.strerror or error}")
    except UnicodeDecodeError as error:
        report.refuse(0, "", f"is not text in UTF-8 (byte {error.start})")
    return "", report


def parse(text: str, report: Report) -> Value | None:
    """Return the file's one value; None, with the refusal in the report, if it is no YAML that a plan may be."""
    try:
        node = YAML(typ="rt").compose(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        problem = f"{error.context}, {error.problem}" if str(error.problem).startswith("but ") else error.problem
        report.refuse(line, "", f"is not YAML: {problem}")
        return None
    except YAMLError:
        report.refuse(0, "", "is not YAML: it holds a control character")
        return None
    except RecursionError:
        report.refuse(0, "", "is nested too deeply to be a plan")
        return None
    if node is None:
        report.refuse(0, "", "is empty; a plan begins with network, zone and sites")
        return None
    _refuse_tags(node, report)
    return Value(node, "", node.start_mark.line + 1, report)


def decimal_of(text: str, scale: int) -> int | None:
    """Return a plain decimal number times ``scale``; None if it is none, or if that is no whole number."""
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", text):
        return None
    scaled = Decimal(text) * scale
    return int(scaled) if scaled == scaled.to_integral_value() else None


def _refuse_name(at: Value, text: str) -> bool:
    """Refuse what cannot be a name, and say whether it was refused."""
    if not _NAME.fullmatch(text):
        at.refuse(f'"{text}" is no name: {_NAME_RULE}')
        return True
    if _PHONE_NUMBER.search(text):
        at.refuse(f'"{text}" is no name: it holds what looks like a telephone number')
        return True
    return False


def _bounded(text: str, report: Report) -> tuple[str, Report]:
    """Refuse a text that is too long to be a plan."""
    if len(text) <= TEXT_MAX:
        return text, report
    report.refuse(0, "", f"is longer than {TEXT_MAX} characters; a plan is a few pages")
    return "", report


def _refuse_tags(root: Node, report: Report) -> None:
    """Refuse tags: the language gives every value its meaning. An alias may lead back up, hence the memory."""
    seen: dict[int, Node] = {}
    todo = [root]
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen[id(node)] = node
        if str(node.tag) not in _TAGS:
            report.refuse(node.start_mark.line + 1, "", f'has the tag "{node.tag}"; a plan needs none, leave it out')
        if isinstance(node, MappingNode):
            todo.extend(child for pair in node.value for child in pair)
        elif isinstance(node, SequenceNode):
            todo.extend(node.value)


def _shape(node: Node) -> str:
    """Say what a node is, in a planner's words."""
    if isinstance(node, MappingNode):
        return "keywords with values"
    if isinstance(node, SequenceNode):
        return "a list"
    return f'"{node.value}"' if str(node.value) else "nothing"
