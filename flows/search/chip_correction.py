"""What the search takes accelerators to come to on the device: as found, and else the models, corrected by what was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from scipy.stats import gmean

from flows.characterisation.shares import device_shares, share_of
from flows.implement.ecp5.devices import Device, find_device
from flows.pairs.evaluation import Evaluation, OnChip
from flows.search.front_implementation import OnDevice
from hwgen.config import AcceleratorConfig

OnChips = Callable[[Evaluation], Evaluation]
"""An evaluation, with what is known of its accelerator on the device."""
Implement = Callable[[Sequence[AcceleratorConfig]], OnChips]
"""Implements accelerators of the front, and says what is known of all since."""


def as_modelled(evaluation: Evaluation) -> Evaluation:
    """Nothing was implemented, and the models hold."""
    return evaluation


@dataclass(frozen=True)
class ChipCorrection:
    """What was found of accelerators on a device; of others, what is usual among those."""

    found: Mapping[AcceleratorConfig, OnChip]
    share_metric: str
    usual_clock_mhz: float | None
    usual_share: float
    """In proportion to the modelled one."""

    def __call__(self, evaluation: Evaluation) -> Evaluation:
        """``evaluation`` on its accelerator's chip."""
        accelerator = evaluation.pair.accelerator
        on_chip = self.found.get(accelerator)
        if on_chip is None:
            share = self.usual_share * device_shares(accelerator)[self.share_metric]
            on_chip = OnChip(self.usual_clock_mhz, self.share_metric, share)
        return replace(evaluation, on_chip=on_chip)


def chip_correction(device: Device, on_device: Mapping[AcceleratorConfig, OnDevice]) -> ChipCorrection:
    """What follows of accelerators that were implemented on ``device``.

    One that was refused tells nothing of others: why it was need not hold for them.
    """
    metric = device.share_metric
    found = {
        accelerator: on_chip
        for accelerator, implemented in on_device.items()
        if (on_chip := found_on_chip(accelerator, implemented)) is not None
    }
    fitting = {accelerator: on_chip for accelerator, on_chip in found.items() if on_chip.share < inf}
    clocks = [on_chip.clock_mhz for on_chip in fitting.values() if on_chip.clock_mhz is not None]
    shares = [on_chip.share / device_shares(accelerator)[metric] for accelerator, on_chip in fitting.items()]
    return ChipCorrection(
        found, metric, float(gmean(clocks)) if clocks else None, float(gmean(shares)) if shares else 1.0
    )


def stated_clock(evaluations: Iterable[Evaluation], assumed_mhz: float) -> str:
    """What clock the latencies and rates of ``evaluations`` are at, for people."""
    routed = any(found.on_chip is not None and found.on_chip.clock_mhz is not None for found in evaluations)
    return "the clock of place and route" if routed else f"{assumed_mhz:g} MHz"


def found_on_chip(accelerator: AcceleratorConfig, on_device: OnDevice) -> OnChip | None:
    """Of an accelerator that was implemented; None of one that was only modelled."""
    device = find_device(on_device.device)
    if on_device.refused is not None:
        return OnChip(None, device.share_metric, inf)
    if on_device.found is None:
        return None
    share = share_of(accelerator, device, on_device.found.resources)
    return OnChip(on_device.found.fmax_mhz, device.share_metric, share)
