"""Replay: leads of a CSV file run through the engine in the order of time. Reads and writes nothing that is stored."""

from routing.replay.run import Replay, replay
from routing.replay.sheet import BadSheet, Problem, Sheet

__all__ = ["BadSheet", "Problem", "Replay", "Sheet", "replay"]
