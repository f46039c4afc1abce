"""The strategies by name; each is imported when it is asked for, as some bring large libraries."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module

from nas.strategies.base import Problem, Strategy


class StrategyName(StrEnum):
    """The strategies that there are."""

    OPTIMIST = "optimist"
    RANDOM = "random"
    NSGA2 = "nsga2"
    BAYES = "bayes"
    RL = "rl"
    SMS_EGO = "sms-ego"
    SINGLE_STAGE = "single-stage"
    SUCCESSIVE = "successive"
    DANCE = "dance"


_CLASSES = {
    StrategyName.OPTIMIST: ("nas.strategies.optimist", "Optimist"),
    StrategyName.RANDOM: ("nas.strategies.random", "RandomSearch"),
    StrategyName.NSGA2: ("nas.strategies.nsga2", "Nsga2"),
    StrategyName.BAYES: ("nas.strategies.bayes", "Bayes"),
    StrategyName.RL: ("nas.strategies.rl", "Reinforce"),
    StrategyName.SMS_EGO: ("nas.strategies.sms_ego", "SmsEgo"),
    StrategyName.SINGLE_STAGE: ("nas.strategies.single_stage", "SingleStage"),
    StrategyName.SUCCESSIVE: ("nas.strategies.successive", "Successive"),
    StrategyName.DANCE: ("nas.strategies.dance", "Dance"),
}


def strategy(name: StrategyName, problem: Problem, seed: int) -> Strategy:
    """A new strategy."""
    module, class_name = _CLASSES[name]
    found: Strategy = getattr(import_module(module), class_name)(problem, seed)
    return found
