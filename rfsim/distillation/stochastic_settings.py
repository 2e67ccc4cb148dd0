"""The settings of stochastic training that stands beside a student's exact flow (equations.md §7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rfsim.checking.written import plain
from rfsim.learning.clocks import step_time
from rfsim.simulation.optimizers import Stochastic

FULL = "full"  # a batch of every training point once


@dataclass(frozen=True)
class StochasticPlan:
    """How students are trained stochastically beside their exact flows.

    Attributes:
        setting: Optimizer, rate, batch and decay of the average that is the target.
        steps: How many are taken.
    """

    setting: Stochastic
    steps: int

    @property
    def settings(self) -> dict[str, Any]:
        """As stored with a result."""
        one = self.setting
        batch = FULL if one.batch is None else one.batch
        return {"optimizer": plain(one.optimizer), "rate": one.rate, "batch": batch, "steps": self.steps} | {
            "ema": one.decay
        }

    def time(self, dim: int) -> float | None:
        """The distill_time of the last step of plain descent; None for other optimizers, which have no such clock."""
        return self.steps * step_time(self.setting.rate, dim) if self.setting.plain else None

    def ema_time(self, dim: int) -> float:
        """Memory of the average in distill_time, of plain descent; 0 where the target is the weights themselves."""
        decay = self.setting.decay
        return step_time(self.setting.rate, dim) / (1 - decay) if decay else 0.0
