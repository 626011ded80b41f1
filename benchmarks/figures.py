"""What a measure yields: a figure, its target, and whether it holds."""

from dataclasses import dataclass
from statistics import median
from typing import Literal

Sign = Literal[">=", "<=", "="]


@dataclass(frozen=True)
class Target:
    """A bound that a figure has to keep."""

    sign: Sign
    bound: float

    def holds(self, value: float) -> bool:
        """Say whether a value keeps the bound."""
        match self.sign:
            case ">=":
                return value >= self.bound
            case "<=":
                return value <= self.bound
            case "=":
                return value == self.bound

    def __str__(self) -> str:
        """The bound as it stands in the table."""
        return f"{self.sign} {self.bound:g}"


@dataclass(frozen=True)
class Figure:
    """One line of the table: a ratio to a baseline measured beside it, or a plain count.

    Without a target it is there to be known.

    `headwater[i]` and `baseline[i]` are neighbouring runs; without a baseline the figure is a
    count, and its value the one farthest from the target.
    """

    measure: str
    name: str
    unit: str
    target: Target | None
    headwater: list[float]
    baseline: list[float]
    baseline_name: str = ""

    @property
    def ratios(self) -> list[float]:
        """The ratio of each pair of runs."""
        return [ours / theirs for ours, theirs in zip(self.headwater, self.baseline, strict=True)]

    @property
    def value(self) -> float:
        """The median of the ratios, or the worst count."""
        if self.baseline:
            return median(self.ratios)
        expected = self.target.bound if self.target else 0.0
        return max(self.headwater, key=lambda count: abs(count - expected))

    @property
    def ok(self) -> bool:
        """Whether the target is kept."""
        return self.target is None or self.target.holds(self.value)

    def as_json(self) -> dict[str, object]:
        """The figure with every run behind it."""
        return {
            "measure": self.measure,
            "name": self.name,
            "unit": self.unit,
            "target": str(self.target or ""),
            "figure": self.value,
            "ok": self.ok,
            "headwater": self.headwater,
            "baseline": self.baseline,
            "baselineName": self.baseline_name,
        }
