"""How much of each device an accelerator takes, by the models."""

from __future__ import annotations

from functools import cache

from flows.characterisation.models import Resources, resource_model
from flows.characterisation.plan import Point
from flows.implement.ecp5.devices import DEVICES, Device
from flows.implement.ecp5.lut_products import multipliers_beside
from hwgen.config import AcceleratorConfig


@cache
def device_shares(config: AcceleratorConfig) -> dict[str, float]:
    """Of each device, by its metric, the share of that of its resources which is scarcest; more than 1 does not fit."""
    return {device.share_metric: _share(config, device) for device in DEVICES.values()}


def _share(config: AcceleratorConfig, device: Device) -> float:
    beside = multipliers_beside(config) / device.dsp
    if beside > 1:
        return beside
    return share_of(config, device, resource_model().resources(Point(config, device, device.dsp)))


def share_of(config: AcceleratorConfig, device: Device, taken: Resources) -> float:
    """The share of the scarcest of ``device``'s resources, of which the accelerator takes so many."""
    # Of the multipliers, only those that cannot be LUTs instead are scarce.
    beside = multipliers_beside(config) / device.dsp
    return max(beside, taken.lut / device.lut, taken.ff / device.lut, taken.bram / device.bram)
