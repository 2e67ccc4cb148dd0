"""What a tab of the explorer is made of: controls, the text a reader gave them, and what is shown for it.

Plain data, so that a tab knows nothing of the page and the page nothing of physics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

Texts = Mapping[str, str]  # control name → what stands in it
Layout = Literal["narrow", "wide"]  # a phone; a desk or a lecture hall
Tell = Callable[[int, int], None]  # frames done, frames in all


class Control(NamedTuple):
    """One control: a number box with a slider (`steps`), a list to choose from (`options`), or both absent: free text.

    name: of the keyword (`samples_per_dim`). label: words and symbol. start: its text at first.
    steps: texts of the slider's positions, ascending; the box takes any other text as well. options: all it accepts.
    suggestions: what free text may begin from. about: one sentence, unit included.
    """

    name: str
    label: str
    start: str
    steps: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    about: str = ""


class Refused(ValueError):
    """What was given cannot be shown. messages: control name → the library's own message; "" where none is to blame."""

    def __init__(self, messages: Mapping[str, str]) -> None:
        super().__init__("; ".join(messages.values()))
        self.messages = dict(messages)


class Pending(Refused):
    """What was asked for is being computed: asked for again after `again` seconds it may be there."""

    again = 2.0


class Value(NamedTuple):
    """One number on the page: its text, and the number itself, None where it is not one (a name, or no value)."""

    text: str
    number: float | None = None


class Table(NamedTuple):
    """Numbers of one kind.

    Attributes:
        name: Of the table, for whoever looks for it.
        caption: Above it.
        columns: Heads, the first of the row names.
        keys: Column names for whoever looks for them, one per further column.
        rows: Row name → a Value per further column.
    """

    name: str
    caption: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    rows: Mapping[str, tuple[Value, ...]]


class Picture(NamedTuple):
    """A drawn figure. alt: what it shows, with its numbers, for who does not see it."""

    name: str
    kind: Literal["image/svg+xml", "image/png"]
    data: bytes
    alt: str


class TabView(NamedTuple):
    """All that is shown for one choice; command: the line that computes it; words: term → what it is, for a reader."""

    pictures: tuple[Picture, ...]
    tables: tuple[Table, ...]
    command: str
    words: Mapping[str, str] = MappingProxyType({})


class Tab(Protocol):
    """One tab: a module-level object, used by many sessions at once, each a thread.

    What reads and gathers runs where the page is served. What draws runs in a worker: the tab and what was gathered are
    pickled.
    """

    name: str
    title: str
    controls: tuple[Control, ...]
    moving: str  # the control that Play moves along its steps

    def read(self, texts: Texts) -> Any:
        """The choice that texts stand for. Raises Refused, with all that is wrong at once."""
        ...

    def gather(self, choice: Any) -> Any:
        """All that its drawing takes, as data. Raises Pending while that is computed for the first time."""
        ...

    def view(self, gathered: Any, /, layout: Layout) -> TabView:
        """Everything shown for what was gathered. Raises Refused where the library refuses the combination."""
        ...

    def gather_film(self, choice: Any) -> Any:
        """`gather` of the animation of a choice."""
        ...

    def animation(self, gathered: Any, /, kind: Literal["gif", "mp4"], tell: Tell) -> bytes:
        """The pictures as `moving` goes along its steps. Raises Refused where this kind cannot be written here."""
        ...

    def prepare(self, tell: Tell) -> Sequence[tuple[Any, Layout]]:
        """Compute what is looked at first; what a worker may draw (gathered, layout) so that nothing later is slow."""
        ...
