"""Tests of the runtime, one file per module."""
