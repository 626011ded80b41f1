"""Tests of the static checker."""
