"""Strategies side by side: how good a front each has found after so many evaluations, and after so many seconds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from moocore import filter_dominated, hypervolume
from scipy import stats

from flows.experiments.oracle import PairOracle
from flows.pairs.evaluation import Pair
from flows.pairs.space import PairSpace
from nas.strategies import Problem, StrategyName, strategy

MARGIN = 0.1
"""How far beyond the worst of the front the reference point lies, so that its ends count."""
CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class Trajectory:
    """One run of a strategy: after each of its proposals, what was found and what it had cost."""

    strategy: StrategyName
    seed: int
    pairs: tuple[Pair | None, ...]
    """What each proposal stands for; None where that is nothing."""
    objectives: np.ndarray
    """float64 [proposals, objectives]: proportional objectives; infinite for what is no pair or cannot run."""
    own_seconds: np.ndarray
    """float64 [proposals]: CPU time of the strategy itself until then."""

    @property
    def different(self) -> np.ndarray:
        """int64 [proposals]: different pairs until then."""
        first = {pair: index for index, pair in reversed(list(enumerate(self.pairs))) if pair is not None}
        return np.isin(np.arange(len(self.pairs)), list(first.values())).cumsum()


def run_strategy(name: StrategyName, seed: int, space: PairSpace, oracle: PairOracle, problem: Problem) -> Trajectory:
    """Search ``problem``, that of ``space``; what was proposed twice or is no pair counts as well."""
    own = 0.0
    pairs: list[Pair | None] = []
    objectives: list[tuple[float, ...]] = []
    own_seconds: list[float] = []
    began = time.process_time()
    searcher = strategy(name, problem, seed)
    while len(objectives) < problem.budget:
        proposals = searcher.ask(min(searcher.batch, problem.budget - len(objectives)))
        own += time.process_time() - began
        outcomes = []
        for proposal in proposals:
            pair = space.pair(proposal.genes)
            outcome = oracle.outcome(proposal.genes, pair)
            outcomes.append(outcome)
            pairs.append(pair)
            objectives.append(outcome.objectives or (np.inf,) * problem.objectives)
            own_seconds.append(own)
        began = time.process_time()
        searcher.tell(outcomes)
    return Trajectory(name, seed, tuple(pairs), np.array(objectives), np.array(own_seconds))


@dataclass(frozen=True, eq=False)
class Yardstick:
    """Hypervolume of a set of points over that of the best front known."""

    ideal: np.ndarray
    nadir: np.ndarray
    best: float

    def __call__(self, points: np.ndarray) -> float:
        """The normalised hypervolume of ``points`` [n, objectives]; 1 for the best front."""
        scaled = self._scaled(points)
        inside = scaled[(scaled < 1 + MARGIN).all(axis=1)]
        return self._volume(inside) / self.best

    def alone(self, points: np.ndarray) -> np.ndarray:
        """float64 [n]: that of each of ``points`` [n, objectives] by itself."""
        return np.prod(np.maximum(1 + MARGIN - self._scaled(points), 0), axis=1) / self.best

    def _scaled(self, points: np.ndarray) -> np.ndarray:
        return (points - self.ideal) / (self.nadir - self.ideal)

    def _volume(self, scaled: np.ndarray) -> float:
        return float(hypervolume(scaled, ref=[1 + MARGIN] * len(self.ideal))) if len(scaled) else 0.0


def yardstick(points: np.ndarray) -> Yardstick:
    """The measure by the front of ``points`` [n, objectives], which all runs found together."""
    front = filter_dominated(points[np.isfinite(points).all(axis=1)])
    ideal, nadir = front.min(axis=0), front.max(axis=0)
    nadir = np.where(nadir > ideal, nadir, ideal + 1)
    unit = Yardstick(ideal, nadir, 1.0)
    return Yardstick(ideal, nadir, unit(front))


def winner(measure: Yardstick, runs: Sequence[Trajectory]) -> Pair | None:
    """The pair with the largest hypervolume by itself, of all that ``runs`` proposed; None where none can run."""
    volumes = np.concatenate([measure.alone(run.objectives) for run in runs])
    pairs = [pair for run in runs for pair in run.pairs]
    best = int(np.argmax(volumes))
    return pairs[best] if volumes[best] > 0 else None


def hypervolume_curve(measure: Yardstick, objectives: np.ndarray) -> np.ndarray:
    """float64 [proposals]: normalised hypervolume of everything until each."""
    return np.array([measure(objectives[:end]) for end in range(1, len(objectives) + 1)])


def mean_and_interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean, and half the width of its confidence interval by Student's t; NaN of a single value."""
    if len(values) < 2:
        return float(np.mean(values)), float("nan")
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * stats.sem(values)
    return float(np.mean(values)), float(half)
