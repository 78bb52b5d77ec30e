"""Tests of the writer, from requests to conditional writes."""
