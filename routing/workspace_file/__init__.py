"""A workspace as one YAML file: loaded, and dumped again."""

from routing.workspace_file.dump import dump
from routing.workspace_file.load import Loaded, load
from routing.workspace_file.nodes import BadFile

__all__ = ["BadFile", "Loaded", "dump", "load"]
