"""One pair from its constraints to its bitstream, as a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.accelerators import accelerator_summary, config_from_values
from flows.experiments.markdown import table
from flows.implement.ecp5.devices import find_device
from flows.search.stages import Stage

PARTS = ("validation", "test")
RESOURCES = {"lut": "LUT", "ff": "flip-flops", "dsp": "multipliers", "bram": "block memories"}
STAGES = {
    Stage.ACCURACIES: "the supernet's training",
    Stage.PAIRS: "search: proposing, modelling, accuracies, simulation in RTL, implementation of the front",
    Stage.TRAINING: "the chosen network's training",
    Stage.DELIVERY: "quantisation, int8 accuracies, test images in RTL",
}

Values = dict[str, Any]


def end_to_end_page(values: Values) -> str:
    """The page, in Markdown."""
    sections = (
        _asked(values),
        _searched(values),
        _accuracies(values),
        _costs(values),
        _on_device(values),
        _in_rtl(values),
        _took(values),
    )
    lines = [f"# End to end: {values['title']}", "", "![The search, the accuracies and the time](end-to-end.png)"]
    return "\n".join([*lines, *(line for section in sections for line in ("", *section)), ""])


def _asked(values: Values) -> list[str]:
    settings = values["settings"]
    constraints = ", ".join(f"`{constraint}`" for constraint in settings["constraints"]) or "nothing"
    return [
        "## What was asked",
        "",
        f"{constraints}, latencies at a clock of {settings['clock_mhz']:g} MHz: the best pair that one search finds of "
        f"the networks of `{settings['space']}` and the accelerators of `{settings['dataset']}`, by seed "
        f"{settings['seed']}. Accuracies are of {values['dataset']}: {values['training_images']:,} images to train on, "
        f"{values['accuracy']['images']['validation']:,} to validate and {values['accuracy']['images']['test']:,} to "
        "test.",
    ]


def _searched(values: Values) -> list[str]:
    settings, found = values["settings"], values["search"]
    return [
        "## What was searched",
        "",
        f"`{settings['strategy']}` proposed {settings['budget']:,} pairs, in rounds of {settings['population']}. With "
        f"those that the front's networks make with accelerators that were built, {found['modelled']:,} were modelled; "
        f"{found['turned_away']:,} were turned away by their hardware, before anyone asked how accurate their networks "
        f"are; accuracies were asked of {found['networks_asked']:,} networks. "
        f"{found['measured']:,} pairs were simulated in RTL, on {found['accelerators_measured']} accelerators, and "
        f"{found['front']} are the front. Chosen of it:",
        "",
        f"- network `{values['pair']['architecture']}`"
        + ("" if values["macs"] is None else f", {values['macs']:,} multiply-accumulates"),
        f"- accelerator `{accelerator_summary(config_from_values(values['pair']['accelerator']))}`",
    ]


def _accuracies(values: Values) -> list[str]:
    accuracy, images = values["accuracy"], values["accuracy"]["images"]
    oracle = accuracy["oracle"]
    head = ["", *(f"{images[part]:,} {part} images" for part in PARTS)]
    rows = [
        [f"in the search: {oracle['tier']}", f"{oracle['value']:.2%}", ""],
        ["trained, float", *(f"{accuracy['float'][part]:.2%}" for part in PARTS)],
        ["trained, int8", *(f"{accuracy['int8'][part]:.2%}" for part in PARTS)],
    ]
    return [
        "## Accuracy",
        "",
        f"Nothing was chosen by the {accuracy['unseen']} images. In the search, accuracy is of: {oracle['source']}.",
        "",
        *table(head, rows),
    ]


def _costs(values: Values) -> list[str]:
    modelled, measured = values["cost"]["modelled"], values["cost"]["measured"]
    rows = [
        [
            name,
            format(modelled[metric], form),
            format(measured[metric], form),
            f"{measured[metric] / modelled[metric]:.4f}",
        ]
        for name, metric, form in (
            ("cycles", "cycles", ",.0f"),
            (f"energy, uJ (`{values['energy_table']}`)", "energy_uj", ".3f"),
        )
    ]
    clock_mhz = values["settings"]["clock_mhz"]
    return [
        "## Cycles and energy",
        "",
        "Of one inference from start to done, with weights, input and output over the bus. Energy is an estimate: "
        "actions, modelled or counted by the RTL, times energies of the table.",
        "",
        *table(["", "modelled", "in RTL", "RTL / modelled"], rows),
        "",
        f"In RTL that is {_latency(values, clock_mhz)} ms at {clock_mhz:g} MHz.",
    ]


def _on_device(values: Values) -> list[str]:
    lines = ["## On the device", ""]
    implementation, bitstream = values["implementation"], values["bitstream"]
    if implementation is None:
        return [*lines, "No device was asked for, so nothing was implemented."]
    rows = [["modelled", *_counts(implementation["modelled"]), "", ""]]
    found = implementation["found"]
    if found is not None:
        rows.append([found["stage"], *_counts(found["resources"]), *_speed(values, found["fmax_mhz"])])
    if bitstream is not None:
        used = {name: resource["used"] for name, resource in bitstream["resources"].items()}
        rows.append(["placed and routed", *_counts(used), *_speed(values, bitstream["fmax_mhz"])])
    device = find_device(implementation["device"])
    room = {"lut": device.lut, "ff": device.lut, "dsp": device.dsp, "bram": device.bram}
    rows.append(["the device has", *_counts(room), "", ""])
    head = [device.name, *RESOURCES.values(), "clock, MHz", "latency, ms"]
    return [*lines, *table(head, rows), "", _reached(values)]


def _reached(values: Values) -> str:
    implementation, bitstream = values["implementation"], values["bitstream"]
    if bitstream is not None:
        path, clock_mhz = bitstream["critical_path"], values["settings"]["clock_mhz"]
        reached = "" if bitstream["fmax_mhz"] >= clock_mhz else " not"
        return (
            "The Verilog that was simulated, placed and routed for speed grade "
            f"{bitstream['speed_grade']} by seed {bitstream['seed']}, and packed into `bitstream/accelerator.bit`. The "
            f"clock of {clock_mhz:g} MHz is{reached} reached. The slowest path leads from `{path['start']}` to "
            f"`{path['end']}`: "
            f"{path['delay_ns']:.1f} ns, {path['routing_ns']:.1f} ns of it routing."
        )
    if implementation["refused"] is not None:
        return f"It cannot be implemented: {implementation['refused'].strip().splitlines()[-1]}"
    if implementation["found"] is None:
        return "It was not implemented: these are models."
    return f"It was implemented as far as that: {implementation['found']['stage']}."


def _counts(resources: Mapping[str, float]) -> list[str]:
    return [f"{resources[name]:,.0f}" for name in RESOURCES]


def _speed(values: Values, fmax_mhz: float | None) -> list[str]:
    return ["", ""] if fmax_mhz is None else [f"{fmax_mhz:.1f}", _latency(values, fmax_mhz)]


def _latency(values: Values, clock_mhz: float) -> str:
    return f"{values['cost']['measured']['cycles'] / clock_mhz / 1000:.4f}"


def _in_rtl(values: Values) -> list[str]:
    rtl = values["rtl"]
    return [
        "## In RTL",
        "",
        f"The first {rtl['images']:,} test images were classified by the pair's Verilog in simulation. On "
        f"{rtl['equal']:,} of them it answers as the bit-exact reference does, byte for byte; it classifies "
        f"{rtl['accuracy']:.2%} of them correctly, in {rtl['cycles']:,} cycles each.",
    ]


def _took(values: Values) -> list[str]:
    stages = {STAGES[stage]: values["stages"][stage] for stage in STAGES if stage in values["stages"]}
    if values["bitstream_spent"] is not None:
        stages["the chosen accelerator's bitstream"] = values["bitstream_spent"]
    stages["in all"] = {name: sum(spent[name] for spent in stages.values()) for name in ("wall_seconds", "cpu_seconds")}
    rows = [[name, f"{s['wall_seconds']:,.1f}", f"{s['cpu_seconds']:,.1f}"] for name, s in stages.items()]
    lines = ["## What it took", "", *table(["", "seconds", "CPU seconds"], rows), ""]
    for stage, recipe in values["recipes"].items():
        if stage in values["stages"]:
            seconds = values["stages"][stage]["cpu_seconds"] / recipe["epochs"]
            lines.append(
                f"- {STAGES[Stage(stage)]}: {recipe['epochs']} epochs, {seconds:,.0f} CPU s for each that is added; "
                f"{_recipe_text(recipe)}"
            )
    return lines


def _recipe_text(recipe: dict[str, Any]) -> str:
    mirrored = ", mirrored at random" if recipe["mirror"] else ""
    return (
        f"SGD, batches of {recipe['batch_size']}, learning rate {recipe['learning_rate']:g} falling by a cosine, "
        f"momentum {recipe['momentum']:g}, weight decay {recipe['weight_decay']:g}, label smoothing "
        f"{recipe['label_smoothing']:g}, images shifted by up to {recipe['shift']} pixels{mirrored}"
    )
