"""Tests of recording and replaying."""
