"""Holds templates against CloudFormation's schemas and this project's own rules: ``python -m infra.check``."""
