"""Settings: the environment, read once."""

import pytest

from handlers.settings import Settings
from reconciler.errors import ConfigurationError

COMPLETE = {
    "TABLE_NAME": "GlobalEventTable",
    "POLICY_FILE": "infra/policy.toml",
    "POISON_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/poison",
    "AWS_REGION": "us-east-1",
}


def test_what_is_optional_has_a_safe_default():
    """Four variables suffice."""
    settings = Settings.from_environment(COMPLETE)
    assert (settings.table_name, settings.region) == ("GlobalEventTable", "us-east-1")
    assert (settings.lanes, settings.attempts, settings.reserve_ms, settings.log_level) == (8, 8, 6000, "INFO")


def test_every_option_can_be_given():
    """The optional variables are read where they are set."""
    chosen = {"LANES": "2", "ATTEMPTS": "3", "RESERVE_MS": "0", "LOG_LEVEL": "debug", "METRICS_NAMESPACE": "Mine"}
    settings = Settings.from_environment({**COMPLETE, **chosen})
    assert (settings.lanes, settings.attempts, settings.reserve_ms) == (2, 3, 0)
    assert (settings.log_level, settings.metrics_namespace) == ("DEBUG", "Mine")


def test_conflicts_are_told_to_the_log_alone_by_default():
    """Bus and history are optional; an event holds names, no values, unless it is asked to."""
    settings = Settings.from_environment(COMPLETE)
    assert (settings.event_bus_name, settings.history_table_name, settings.event_content) == ("", "", "names")
    named = {"EVENT_BUS_NAME": " conflicts ", "HISTORY_TABLE_NAME": "History", "EVENT_CONTENT": "Values"}
    settings = Settings.from_environment({**COMPLETE, **named})
    assert (settings.event_bus_name, settings.history_table_name) == ("conflicts", "History")
    assert settings.event_content == "values"


def test_the_process_environment_is_read_by_default(monkeypatch):
    """Without a mapping, the function's own environment counts."""
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)
    assert Settings.from_environment().table_name == "GlobalEventTable"


def test_the_write_function_needs_no_queue():
    """A function that sends no poison messages may go without the queue's URL."""
    without = {name: value for name, value in COMPLETE.items() if name != "POISON_QUEUE_URL"}
    assert Settings.from_environment(without, needs_queue=False).poison_queue_url == ""


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("TABLE_NAME", "", "TABLE_NAME: the environment variable is missing or empty"),
        ("POLICY_FILE", "  ", "POLICY_FILE: the environment variable is missing or empty"),
        ("AWS_REGION", "", "AWS_REGION: the environment variable is missing or empty"),
        ("POISON_QUEUE_URL", "", "POISON_QUEUE_URL: the environment variable is missing or empty"),
        ("POISON_QUEUE_URL", "poison", "POISON_QUEUE_URL: is not the URL of a queue"),
        ("EVENT_CONTENT", "all", "EVENT_CONTENT: is 'all'; one of names, values was expected"),
        (
            "HISTORY_TABLE_NAME",
            "GlobalEventTable",
            "HISTORY_TABLE_NAME: is TABLE_NAME; a table of its own was expected",
        ),
        ("LANES", "0", "LANES: is '0'; a whole number 1 to 64 was expected"),
        ("LANES", "many", "LANES: is 'many'; a whole number 1 to 64 was expected"),
        ("ATTEMPTS", "-1", "ATTEMPTS: is '-1'; a whole number 1 to 100 was expected"),
        ("RESERVE_MS", "1.5", "RESERVE_MS: is '1.5'; a whole number 0 to 900000 was expected"),
        (
            "LOG_LEVEL",
            "loud",
            "LOG_LEVEL: is 'loud'; one of DEBUG, INFO, WARNING, ERROR, CRITICAL was expected",
        ),
    ],
)
def test_an_error_names_the_variable(variable, value, problem):
    """Whoever deploys reads which variable is wrong, and what was expected."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_environment({**COMPLETE, variable: value})
    assert str(caught.value) == problem
