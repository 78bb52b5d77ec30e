"""Faults, in one small tree; an edge asks one question of them: retry or not.

ReconcilerError
+-- ConfigurationError        the deployment is wrong; every record would share it
|   +-- PolicyFileError       names the place in the policy file
|   +-- KeySchemaError        the table's key is another one
+-- RequestError              the caller's request is wrong; names the field; nothing was changed
+-- ItemError                 an item or image cannot be read, or the joined one cannot be stored
|   +-- MergeError            a custom policy's function failed
|   +-- TooLargeError         the joined item passes a limit of DynamoDB
+-- TransientError            try again: throttled, timed out, unreachable      (retryable)
    +-- ContentionError       a bounded number of lost races                    (retryable)
    +-- CausalityFullError    too many executions are younger than `min_window` (retryable)
    +-- DeadlineError         too little of the function's time is left         (retryable)
"""


class ReconcilerError(Exception):
    """The root; `retryable` says whether the same call may succeed later."""

    retryable = False


class ConfigurationError(ReconcilerError):
    """The deployment is wrong: nothing can be processed until a person changes it."""


class PolicyFileError(ConfigurationError):
    """The policy file is wrong at `place`, for example ``attributes.Balance``."""

    def __init__(self, place: str, problem: str) -> None:
        """Say where in the file the problem stands."""
        super().__init__(f"policy file: {place}: {problem}")
        self.place = place


class KeySchemaError(ConfigurationError):
    """The table's key is not of the type, or not of the names, that a key was given with."""


class RequestError(ReconcilerError):
    """The request is wrong at `field`; nothing was changed."""

    def __init__(self, field: str, problem: str) -> None:
        """Say which field of the request is wrong."""
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class ItemError(ReconcilerError):
    """What stands at `attribute` cannot be read, or cannot be stored."""

    def __init__(self, attribute: str, problem: str) -> None:
        """Say which attribute is meant; values stay out of the message."""
        super().__init__(f"{attribute}: {problem}")
        self.attribute = attribute
        self.problem = problem


class MergeError(ItemError):
    """The function of a custom policy raised, or returned what DynamoDB cannot hold."""


class TooLargeError(ItemError):
    """The item as it should be passes a limit of DynamoDB."""


class TransientError(ReconcilerError):
    """A later attempt may succeed: of a write, with `idempotency_key`, for it may have been executed already."""

    retryable = True
    idempotency_key: str | None = None


class ContentionError(TransientError):
    """Every one of the bounded attempts lost its race."""


class CausalityFullError(TransientError):
    """The item's `Causality` would pass `max_causality_bytes`: slow down, as for a throttled write."""


class DeadlineError(TransientError):
    """The function's time is nearly over: what is left is delivered again."""
