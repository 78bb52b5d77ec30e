"""What every test may use."""

pytest_plugins = ["pytester", "replay_tools.pytest_plugin"]
