"""What a search found, as files: ``pareto.json``, ``pareto.html`` and ``pareto.png``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from flows.files import write_json
from flows.implement.ecp5.devices import DEVICES, find_device
from flows.pairs.constraints import parse_constraint
from flows.pairs.evaluation import Evaluation, Pair, Tier, correction
from flows.pairs.evaluation_log import evaluation_from_values, evaluation_values
from flows.pairs.objectives import ACCURACY, BESIDE_ACCURACY, Objectives
from flows.search.chip_correction import as_modelled, chip_correction, found_on_chip
from flows.search.front_implementation import OnDevice, on_device_from_values, on_device_values
from flows.search.plot import FrontPlot, front_html, front_png
from flows.search.settings import Hardware
from flows.search.tier_costs import TierCost
from hwgen.config import AcceleratorConfig
from hwgen.errors import InputError
from hwgen.files import write_bytes
from nas.accuracy import AccuracyTier

FILE_NAME = "pareto.json"
BEST = "best"
"""The folder of the chosen pair in a run directory."""

CYCLES_PROVENANCE = {
    Hardware.RTL: "measured in RTL simulation, one inference from start to done, all traffic over the bus included",
    Hardware.BOARD: "measured on a board with its memory on the chip, one inference from start to done",
}
PROVENANCE = {
    "accuracy": "by each member's accuracy_tier and accuracy_provenance",
    "latency_ms": "cycles at the clock that place and route found, where the accelerator was implemented so far; else "
    "at the stated clock, which is an assumption",
    "gmac_per_s": "the network's multiply-accumulates, padding counted, pools and additions not, at that latency",
    "energy_uj": "estimated: what the RTL's counters counted, by the energies of energy_table; dynamic energy alone",
    "implementation": "modelled: LUTs and flip-flops fitted on synthesised accelerators, multipliers and block "
    "memories known; found: counted after its stage; latency_ms, gmac_per_s: at the clock that was found",
    "lut_equivalents": "area proxy: 6-input LUTs if everything were built of them; not placed and routed",
    **{
        device.share_metric: "modelled: share of the scarcest of the device's LUTs and flip-flops, which are fitted on "
        "synthesised accelerators, and its multipliers and block memories, which are known; found instead, where the "
        "accelerator was implemented on that device"
        for device in DEVICES.values()
    },
}


@dataclass(frozen=True)
class Results:
    """The Pareto front of a finished search."""

    title: str
    objectives: Objectives
    constraints: tuple[str, ...]
    front: tuple[Evaluation, ...]
    """All measured, the best in the first objective beside accuracy first."""
    best: Evaluation | None
    """The member of the front to build; None where the front is empty."""
    costs: Mapping[Tier, TierCost]
    """What the search's evaluations cost."""
    hardware: Hardware = Hardware.RTL
    """What cycles were measured on."""
    on_device: Mapping[AcceleratorConfig, OnDevice] = field(default_factory=dict)
    """The front's accelerators on the device that they were to fit; none where there is no such device."""

    @property
    def clock_mhz(self) -> float:
        """At which latencies and rates are stated."""
        return self.objectives.clock_mhz

    def save(self, run: Path) -> None:
        """Write ``pareto.json`` into ``run``."""
        write_json(
            run / FILE_NAME,
            {
                "title": self.title,
                "clock_mhz": self.clock_mhz,
                "objectives": list(self.objectives.names),
                "constraints": list(self.constraints),
                "hardware": self.hardware.value,
                "provenance": PROVENANCE | {"cycles": CYCLES_PROVENANCE[self.hardware]},
                "costs": {tier.value: asdict(cost) for tier, cost in self.costs.items()},
                "front": [self._values(evaluation) for evaluation in self.front],
                "best": None if self.best is None else self.front.index(self.best),
            },
        )

    def _values(self, evaluation: Evaluation) -> dict[str, Any]:
        on_device = self.on_device.get(evaluation.pair.accelerator)
        return {
            **evaluation.metrics(self.clock_mhz),
            "gmac_per_s": evaluation.gmac_per_s(self.clock_mhz),
            **evaluation_values(evaluation),
            "implementation": None if on_device is None else on_device_values(on_device, evaluation, self.clock_mhz),
        }

    def render(self, run: Path, evaluations: Iterable[Evaluation]) -> None:
        """Draw ``pareto.html`` and ``pareto.png`` into ``run``; ``evaluations`` are all that the search made."""
        plot = self._plot(list(evaluations))
        write_bytes(run / "pareto.html", front_html(plot).encode())
        write_bytes(run / "pareto.png", front_png(plot))

    def _plot(self, evaluations: Sequence[Evaluation]) -> FrontPlot:
        members = {evaluation.pair for evaluation in self.front}
        measured = _by_pair(evaluations, Tier.MEASURED)
        modelled = _by_pair(evaluations, Tier.MODELLED)
        correct = correction(modelled, measured)
        found = [implemented for implemented in self.on_device.values() if implemented.found is not None]
        on_chips = chip_correction(find_device(found[0].device), self.on_device) if found else as_modelled
        return FrontPlot(
            title=self.title,
            objectives=self.objectives,
            constraints=[parse_constraint(text) for text in self.constraints],
            front=self.front,
            best=self.best,
            dominated=[on_chips(e) for pair, e in measured.items() if pair not in members and e.cycles is not None],
            modelled=[
                on_chips(correct(evaluation))
                for pair, evaluation in modelled.items()
                if pair not in measured
                and evaluation.cost is not None
                and evaluation.accuracy_tier is not AccuracyTier.NOT_ASKED
            ],
        )


def _on_chip(member: Evaluation, on_device: Mapping[AcceleratorConfig, OnDevice]) -> Evaluation:
    """A ``member`` of a saved front on its accelerator's chip, as it was when it was chosen."""
    implemented = on_device.get(member.pair.accelerator)
    on_chip = None if implemented is None else found_on_chip(member.pair.accelerator, implemented)
    return replace(member, on_chip=on_chip)


def _by_pair(evaluations: Iterable[Evaluation], tier: Tier) -> dict[Pair, Evaluation]:
    return {evaluation.pair: evaluation for evaluation in evaluations if evaluation.tier is tier}


def load_results(run: Path) -> Results:
    """The results in the run directory ``run``. Raises InputError where the search has not finished."""
    try:
        values = json.loads((run / FILE_NAME).read_text(encoding="utf-8"))
        front = tuple(evaluation_from_values(member) for member in values["front"])
        costs = {Tier(tier): TierCost(**cost) for tier, cost in values.get("costs", {}).items()}
        hardware = Hardware(values.get("hardware", Hardware.RTL))
        implementations = [member.get("implementation") for member in values["front"]]
        on_device = {
            member.pair.accelerator: on_device_from_values(implementation)
            for member, implementation in zip(front, implementations, strict=True)
            if implementation is not None
        }
        front = tuple(_on_chip(member, on_device) for member in front)
        best = None if values["best"] is None else front[values["best"]]
        constraints = tuple(values["constraints"])
        _, *beside_accuracy = values.get("objectives", (ACCURACY, *BESIDE_ACCURACY))
        objectives = Objectives(values["clock_mhz"], tuple(beside_accuracy))
        return Results(values["title"], objectives, constraints, front, best, costs, hardware, on_device)
    except FileNotFoundError as error:
        raise InputError(
            f"run: {run} holds an unfinished search; finish it with `cosynth search --resume {run}`"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise InputError(f"run: {run / FILE_NAME} is damaged ({error})") from error
