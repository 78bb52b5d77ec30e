"""What can go wrong, as one line for whoever packages."""

from reconciler.errors import ReconcilerError


class PackageError(ReconcilerError):
    """No package was made: says why."""
