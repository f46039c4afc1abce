"""The main job: from a search space and a data set to a measured Pareto front and the chosen pair, in a run directory.

Every stage leaves its product in the run directory in one step, and finds it there when the job is resumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import torch
from rich.console import Console

from flows.board.oracle import BoardOracle, measure_on_simulated_board
from flows.files import new_directory
from flows.pairs.accelerator_space import ACCELERATOR_SPACES
from flows.pairs.evaluation import Evaluation
from flows.pairs.evaluation_log import EVALUATIONS, EvaluationLog
from flows.pairs.pareto import best_pair
from flows.pairs.rtl_evaluator import Measure, RtlEvaluator
from flows.pairs.space import PairSpace
from flows.search.accuracy import AccuracySource, accuracy_source, screens
from flows.search.best_pair import deliver, verification_summary
from flows.search.chip_correction import Implement, OnChips, as_modelled, chip_correction
from flows.search.front_implementation import OnDevice, implement_front, require_tools
from flows.search.pair_search import PairSearch, Progress, SearchSettings
from flows.search.results import BEST, Results
from flows.search.settings import FILE_NAME as SETTINGS
from flows.search.settings import Depth, Hardware, Settings
from flows.search.stages import Stage, timed
from flows.search.tier_costs import tier_costs
from flows.tools import Watch
from hwgen.config import AcceleratorConfig
from hwgen.errors import InputError
from nas.data import load_dataset
from nas.progress import progress_bar
from nas.spaces import Space
from nas.spaces import space as find_space
from sim.simulate import simulate

SMALL_IMAGE = 16
"""Images up to this size in pixels are too small to share between threads: waiting would cost more than it saves."""


def run_search(run: Path, settings: Settings, console: Console) -> Results:
    """Run, or finish, the search of ``settings`` in the run directory ``run``; progress goes to ``console``.

    Raises InputError, before anything is written, where the space, the data set or the accuracies are not to be had;
    InputError where no pair can run or meets the constraints, or where a file of ``run`` is damaged; MismatchError
    where the chosen pair's RTL disagrees with the reference; ImplementationError, at first, where a tool that
    the front is to be implemented by is not installed.
    """
    require_tools(settings.implement)
    space = find_space(settings.space, settings.dataset)
    dataset = load_dataset(settings.dataset, settings.data_directory)
    source = accuracy_source(run, settings, space, dataset)
    below = screens(run, settings, space, dataset)
    if not (run / SETTINGS).exists():
        with new_directory(run) as directory:
            settings.save(directory)
    if space.image.size <= SMALL_IMAGE:
        torch.set_num_threads(1)
    with closing(EvaluationLog(run / EVALUATIONS)) as log:
        _say(console, f"{run}: {len(log)} evaluations finished; {settings.accuracy.value} on {dataset.provenance}")
        with timed(run, Stage.ACCURACIES):
            for rung in (*below, source):
                rung.prepare()
        _say(console, f"accuracies ready; searching {settings.budget} pairs, at most {settings.builds} accelerators")
        with timed(run, Stage.PAIRS):
            front = _search_pairs(run, settings, space, source, below, log)
        evaluations = tuple(log)
    constraints, objectives = settings.parsed_constraints(), settings.parsed_objectives()
    best = best_pair(front, constraints, objectives)
    if best is None:
        raise _nothing_to_choose(settings)
    _say(console, f"front: {len(front)} pairs, all measured")
    directory = run / BEST
    if not directory.exists():
        _say(console, "next, the chosen network's training")
        architecture = best.pair.architecture
        with timed(run, Stage.TRAINING):
            trained = source.train(architecture)
        name = f"{settings.space}:{architecture}"
        with timed(run, Stage.DELIVERY):
            deliver(directory, name, trained, best.pair.accelerator, dataset, source.unseen, settings.verified_images)
    _say(console, f"chosen pair: {verification_summary(directory)}")
    results = Results(
        title=f"{settings.space} on {dataset.provenance}",
        objectives=objectives,
        constraints=settings.constraints,
        front=tuple(front),
        best=best,
        costs=tier_costs(evaluations),
        hardware=settings.hardware,
        on_device=_on_device(run, settings, front, console),
    )
    results.render(run, evaluations)
    results.save(run)
    return results


def _on_device(
    run: Path, settings: Settings, front: Sequence[Evaluation], console: Console
) -> dict[AcceleratorConfig, OnDevice]:
    """The front's accelerators on the device that they were to fit, if there is one; the search implemented them."""
    if settings.device is None:
        return {}
    accelerators = list(dict.fromkeys(member.pair.accelerator for member in front))
    return implement_front(run, accelerators, settings.device, settings.implement, console, lambda step: None)


def _implement(run: Path, settings: Settings, console: Console, watch: Watch) -> Implement:
    """Implements on the device that pairs are to fit, as far as was asked for."""
    device = settings.device
    if device is None or settings.implement is Depth.MODELLED:
        return lambda accelerators: as_modelled
    known: dict[AcceleratorConfig, OnDevice] = {}

    def implement(accelerators: Sequence[AcceleratorConfig]) -> OnChips:
        known.update(implement_front(run, accelerators, device, settings.implement, console, watch))
        return chip_correction(device, known)

    return implement


def _nothing_to_choose(settings: Settings) -> InputError:
    if not settings.constraints:
        return InputError(
            f"search: no accelerator that was built can run any network of {settings.space} that was tried; "
            "accepted: more accelerators (--builds) or more pairs (--budget)"
        )
    return InputError(
        f"constraint: no measured pair of {settings.space} meets {', '.join(settings.constraints)}; "
        "accepted: looser constraints, more accelerators (--builds) or more pairs (--budget)"
    )


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False)


def _measure(settings: Settings) -> Measure:
    if settings.hardware is Hardware.RTL:
        return simulate
    if settings.port is None or settings.loader is None:
        return measure_on_simulated_board
    return BoardOracle(settings.port, settings.loader)


def _search_pairs(
    run: Path,
    settings: Settings,
    space: Space,
    source: AccuracySource,
    below: Sequence[AccuracySource],
    log: EvaluationLog,
) -> list[Evaluation]:
    with progress_bar() as progress:
        search_settings = SearchSettings(
            strategy=settings.strategy,
            budget=settings.budget,
            population=settings.population,
            accelerator_builds=settings.builds,
            constraints=settings.parsed_constraints(),
            objectives=settings.parsed_objectives(),
            seed=settings.seed,
        )
        task = progress.add_task("searching", total=search_settings.rounds)

        def show(state: Progress) -> None:
            screened = f"{state.screened} screened, " if state.screened else ""
            text = (
                f"round {state.round}/{search_settings.rounds}: {screened}{state.modelled} modelled, "
                f"{state.accuracies} accuracies, {state.measured} in RTL on {state.accelerators} accelerators"
            )
            progress.update(task, completed=state.round, description=text)

        search = PairSearch(
            PairSpace(space, ACCELERATOR_SPACES[settings.dataset]),
            RtlEvaluator(space, source.oracle, _measure(settings)),
            search_settings,
            log,
            show,
            [screen.oracle for screen in below],
            _implement(run, settings, progress.console, lambda step: progress.update(task, description=step)),
        )
        return search.run()
