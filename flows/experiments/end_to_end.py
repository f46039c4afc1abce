"""What one search made of its constraints: the chosen pair, stage by stage, as JSON values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flows.accelerators import config_values
from flows.pairs.evaluation import ENERGY_TABLE, Evaluation, Tier
from flows.search.best_pair import VERIFICATION
from flows.search.front_implementation import on_device_values
from flows.search.results import BEST, Results
from flows.search.settings import Oracle, Settings
from flows.search.stages import Stage, stage_costs
from flows.stopwatch import Spent
from nas.accuracy import AccuracyTier
from nas.train import TrainConfig, fine_tune_recipe, recipe


def end_to_end_values(
    run: Path,
    settings: Settings,
    results: Results,
    evaluations: Sequence[Evaluation],
    training_images: int,
    bitstream: dict[str, Any] | None,
    bitstream_spent: Spent | None,
) -> dict[str, Any]:
    """Everything that is reported of the finished search in ``run``.

    ``bitstream`` is the report of ``cosynth implement`` on the chosen pair's accelerator, None where it was not placed
    and routed.
    """
    best = results.best
    assert best is not None  # A finished search has chosen one.
    verification = json.loads((run / BEST / VERIFICATION).read_text(encoding="utf-8"))
    costs = stage_costs(run)
    on_device = results.on_device.get(best.pair.accelerator)
    return {
        "title": results.title,
        "settings": asdict(settings),
        "dataset": verification["dataset"],
        "training_images": training_images,
        "recipes": {stage.value: asdict(config) for stage, config in _recipes(settings).items()},
        "search": _search_values(results, evaluations, settings.clock_mhz),
        "pair": {"architecture": best.pair.architecture, "accelerator": config_values(best.pair.accelerator)},
        "macs": best.macs,
        "accuracy": {
            "oracle": {"tier": best.accuracy_tier.value, "value": best.accuracy, "source": best.accuracy_provenance},
            **{
                number: {part: verification[f"{number}_{part}_accuracy"] for part in ("validation", "test")}
                for number in ("float", "int8")
            },
            "images": {part: verification[f"int8_{part}_images"] for part in ("validation", "test")},
            "unseen": verification["unseen"],
        },
        "cost": {"modelled": _cost(_modelled(evaluations, best)), "measured": _cost(best)},
        "energy_table": ENERGY_TABLE.name,
        "implementation": None if on_device is None else on_device_values(on_device, best, settings.clock_mhz),
        "bitstream": bitstream,
        "rtl": {
            "images": verification["rtl"]["images"],
            "equal": verification["rtl"]["images"] if verification["rtl"]["bit_exact"] else 0,
            "accuracy": verification["rtl"]["accuracy"],
            "cycles": verification["rtl"]["cycles"],
        },
        "stages": {stage.value: asdict(spent) for stage, spent in costs.items()},
        "bitstream_spent": None if bitstream_spent is None else asdict(bitstream_spent),
    }


def _recipes(settings: Settings) -> dict[Stage, TrainConfig]:
    """How the supernet, if there is one, and the chosen network are trained."""
    if settings.accuracy is not Oracle.SUPERNET:
        return {Stage.TRAINING: recipe(settings.dataset, settings.training_epochs)}
    return {
        Stage.ACCURACIES: recipe(settings.dataset, settings.supernet_epochs),
        Stage.TRAINING: fine_tune_recipe(settings.dataset, settings.training_epochs),
    }


def _search_values(results: Results, evaluations: Sequence[Evaluation], clock_mhz: float) -> dict[str, Any]:
    modelled = {found.pair: found for found in evaluations if found.tier is Tier.MODELLED}
    measured = {found.pair: found for found in evaluations if found.tier is Tier.MEASURED}
    asked = [found for found in modelled.values() if found.accuracy_tier is not AccuracyTier.NOT_ASKED]
    return {
        "modelled": len(modelled),
        "turned_away": len(modelled) - len(asked),
        "networks_asked": len({found.pair.architecture for found in asked}),
        "measured": len(measured),
        "accelerators_measured": len({pair.accelerator for pair in measured}),
        "front": len(results.front),
        "points": {
            name: [_point(found, clock_mhz) for found in group if found.cost is not None]
            for name, group in (("modelled", asked), ("front", results.front))
        },
    }


def _point(evaluation: Evaluation, clock_mhz: float) -> dict[str, float]:
    metrics = evaluation.metrics(clock_mhz)
    return {name: metrics[name] for name in ("latency_ms", "accuracy")}


def _modelled(evaluations: Sequence[Evaluation], best: Evaluation) -> Evaluation:
    """What the model said of the chosen pair; every measured pair was modelled."""
    return next(found for found in evaluations if found.pair == best.pair and found.tier is Tier.MODELLED)


def _cost(evaluation: Evaluation) -> dict[str, float]:
    assert evaluation.cost is not None and evaluation.cost.energy_uj is not None  # The chosen pair runs.
    return {"cycles": evaluation.cost.cycles, "energy_uj": evaluation.cost.energy_uj}
