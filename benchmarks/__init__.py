"""Headwater measured against what a Python developer would write by hand, and against convex-test.

`python -m benchmarks` runs every measure and prints one table of ratios; `--help` tells the rest.
"""
