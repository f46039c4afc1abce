"""Whether a netlist fits a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hwgen.errors import InputError


def refuse_excess(device: str, wanted: Mapping[str, tuple[int, int]], larger: Sequence[str]) -> None:
    """InputError where ``wanted``, (used, available) of each resource, is more than ``device`` has.

    It says of what, and by how much, and offers the ``larger`` devices.
    """
    excess = [
        f"{used - available} {what} too many ({used} of {available})"
        for what, (used, available) in wanted.items()
        if used > available
    ]
    if excess:
        advice = " or ".join(("a smaller accelerator", *larger))
        raise InputError(f"device: the accelerator does not fit {device}: {', '.join(excess)}; accepted: {advice}")
