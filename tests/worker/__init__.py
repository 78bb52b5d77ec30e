"""Tests of the worker, from stream records to repairs."""
