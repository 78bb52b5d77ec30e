"""Tests of the demo and of the replicator that it stands on."""
