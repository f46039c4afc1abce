"""What the evaluations of each tier cost in all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flows.pairs.evaluation import Evaluation, Tier


@dataclass(frozen=True)
class TierCost:
    """Of all evaluations of a tier."""

    pairs: int
    wall_seconds: float
    cpu_seconds: float
    """As ``flows.stopwatch.Spent``, where it was recorded."""


def tier_costs(evaluations: Iterable[Evaluation]) -> dict[Tier, TierCost]:
    """By tier, the cheapest first; a pair whose accuracy was asked for later has cost twice and counts once."""
    made = list(evaluations)
    costs = {}
    for tier in Tier:
        own = [evaluation for evaluation in made if evaluation.tier is tier]
        spent = [evaluation.spent for evaluation in own if evaluation.spent is not None]
        if own:
            costs[tier] = TierCost(
                pairs=len({evaluation.pair for evaluation in own}),
                wall_seconds=round(sum(found.wall_seconds for found in spent), 3),
                cpu_seconds=round(sum(found.cpu_seconds for found in spent), 3),
            )
    return costs


def tier_cost_lines(costs: Mapping[Tier, TierCost]) -> list[str]:
    """``costs`` for people."""
    return [
        f"{tier}: {cost.pairs} pairs in {cost.wall_seconds:,.1f} s, {cost.cpu_seconds:,.1f} CPU s"
        for tier, cost in costs.items()
    ]
