"""An accelerator in a line of text and as JSON values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from hwgen.config import AcceleratorConfig


def accelerator_summary(config: AcceleratorConfig) -> str:
    """What is searched of ``config``, in a line."""
    return (
        f"{config.rows}x{config.cols} {config.dataflow} rf{config.rf_depth} bus{config.bus_bits} "
        f"{config.act_buffer_kib}+{config.weight_buffer_kib}KiB {config.requant_lanes}req"
    )


def config_values(config: AcceleratorConfig) -> dict[str, Any]:
    """The fields of ``config`` as JSON values."""
    return {**asdict(config), "dataflow": config.dataflow.value}


def config_from_values(values: dict[str, Any]) -> AcceleratorConfig:
    """The inverse of ``config_values``; ConfigError where a value is not accepted."""
    return AcceleratorConfig(**values)
