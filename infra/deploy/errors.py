"""What can go wrong, as one line for whoever deploys."""

from reconciler.errors import ReconcilerError


class DeployError(ReconcilerError):
    """The deployment cannot begin, or stopped: says where, and why."""
