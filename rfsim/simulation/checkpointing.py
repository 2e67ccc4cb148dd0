"""When the state of a run goes to disk, and how it comes back."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import jax
import numpy as np
from numpy.typing import NDArray

from rfsim.computing import parallel
from rfsim.computing.parallel import DeviceLayout
from rfsim.disk import checkpoints, store

Records = dict[str, NDArray]
ABSENT, REFUSED = -1, -2  # in the place of the step of a checkpoint


class Stepped(Protocol):
    """A state: a pytree of arrays, one of them the number of its steps."""

    @property
    def step(self) -> Any:
        """How many were taken."""
        ...


State = TypeVar("State", bound=Stepped)


class Keeping(NamedTuple):
    """Where the states of a run are kept, and what tells it from others; folder: None for nowhere."""

    folder: Path | None
    resume: bool
    minutes: float
    identity: Mapping[str, Any]

    def of_seed(self, seed: int) -> Keeping:
        """The same for one seed's draw, in a folder of its own."""
        folder = self.folder and self.folder / f"seed-{seed}"
        return self._replace(folder=folder, identity={**self.identity, "seed": seed})

    def within(self, name: str) -> Keeping:
        """The same for another run beside this one, in a folder within."""
        return self._replace(folder=self.folder and self.folder / name, identity={**self.identity, "run": name})


NOWHERE = Keeping(None, False, 0.0, {})


class Checkpointing:
    """One run's checkpoints in a folder, or nothing where the folder is None.

    `records` are what the run has measured so far, by name, rows in order of `step`; they are stored beside the state.
    Over several processes all of them call, and the one that leads writes.
    """

    def __init__(
        self,
        folder: Path | None,
        identity: Mapping[str, Any],
        layout: DeviceLayout,
        minutes: float,
        tell: Callable[[str], None],
    ) -> None:
        self.folder, self.identity, self.layout, self.tell = folder, identity, layout, tell
        self.seconds, self.saved = 60 * minutes, time.monotonic()
        self.records: Records = {}
        self.found: checkpoints.Checkpoint | None = None

    def find(self, most: int) -> None:
        """Look for the newest state on disk that is whole and of this run.

        Raises StoreError beyond `most` steps, and where processes do not see the same on their disks: one that went on
        from another step would wait for the others for ever.
        """

        def look() -> int:
            self.found = None if self.folder is None else checkpoints.newest(self.folder, self.identity, _warn)
            if self.found is None:
                return ABSENT
            if self.found.step > most:
                raise store.StoreError(
                    f"{self.folder} holds a checkpoint at step {self.found.step}, beyond the {most} steps asked for; "
                    "take as many or more, or another folder"
                )
            return self.found.step

        _together(self.layout, self.folder, look)

    def resume(self, start: State) -> State:
        """The state that was found, `start` where there is none."""
        found, self.found = self.found, None
        if found is None:
            return start
        leaves, tree = jax.tree.flatten(start)
        if [(np.shape(a), a.dtype) for a in leaves] != [(np.shape(a), a.dtype) for a in found.leaves]:
            raise store.StoreError(f"the checkpoint at step {found.step} in {self.folder} has arrays of another shape")
        self.records = {name: np.asarray(values) for name, values in found.records.items()}
        self.tell(f"going on from step {found.step}")
        return jax.tree.unflatten(tree, found.leaves)

    def add(self, **row: float) -> None:
        """A row of records after those that are there; one of a step that a resumed run measures again replaces it."""
        old = self.records
        before = old["step"] < row["step"] if old else np.zeros(0, bool)
        self.records = {
            name: np.append(old[name][before] if old else [], value).astype(np.int64 if name == "step" else float)
            for name, value in row.items()
        }

    def offer(self, state: Stepped) -> None:
        """Save the state if the last one is old enough."""
        if self.folder is not None and self.layout.agreed(time.monotonic() - self.saved >= self.seconds):
            self.save(state)

    def save(self, state: Stepped) -> None:
        """Save the state and what was measured up to it."""
        if self.folder is None:
            return
        leaves = [self.layout.whole(leaf) for leaf in jax.tree.leaves(state)]
        if parallel.leads():
            checkpoints.save(self.folder, int(state.step), leaves, self.records, self.identity)
        self.saved = time.monotonic()


@contextlib.contextmanager
def reserved(folders: Collection[Path], layout: DeviceLayout, *, resume: bool) -> Iterator[None]:
    """Be the only run that keeps its state in these folders inside the block.

    Refuse, with StoreError, one that cannot be written, that another run writes to, or in which checkpoints lie that
    nobody asked to go on with.
    """
    with contextlib.ExitStack() as held:

        def look(folder: Path) -> int:
            store.check_writable(folder)
            if parallel.leads():
                held.enter_context(checkpoints.held(folder))
            if not resume and (steps := checkpoints.present(folder)):
                raise store.StoreError(
                    f"{folder} holds a checkpoint at step {steps[-1]}; resume to go on from it, or name another folder"
                )
            return ABSENT

        for folder in folders:
            _together(layout, folder, partial(look, folder))
        yield


def _together(layout: DeviceLayout, folder: Path | None, look: Callable[[], int]) -> None:
    """Look at a folder in every process: all of them go on, or all raise StoreError.

    One alone would leave the others waiting for it.
    """
    found, refusal = REFUSED, None
    try:
        found = look()
    except store.StoreError as error:
        refusal = error
    if not layout.same(found):
        raise store.StoreError(f"processes see different checkpoints in {folder}; name a folder they share")
    if refusal is not None:
        raise refusal


def _warn(refusal: str) -> None:
    warnings.warn(refusal, stacklevel=2)
