"""What an engine counts of its own work."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class EngineCounters:
    """What the engine did since it started."""

    batches: int = 0
    works: int = 0
    commits: int = 0
    mutations: int = 0
    query_runs: int = 0
    results_encoded: int = 0
    transitions: int = 0
