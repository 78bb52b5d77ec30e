"""Executions of a Step Functions state machine: each name is started once."""

from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from reconciler.adapters.faults import MISCONFIGURED
from reconciler.errors import ConfigurationError, ReconcilerError, TransientError
from reconciler.execution import Execution

if TYPE_CHECKING:
    from types_boto3_stepfunctions.client import SFNClient

CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 1, 2.5, 3
EXISTS = "ExecutionAlreadyExists"
WRONG_DEPLOYMENT = frozenset(
    {
        "AccessDeniedException",
        "InvalidArn",
        "StateMachineDeleting",
        "StateMachineDoesNotExist",
        "UnrecognizedClientException",
    }
)


def executions(state_machine_arn: str, region: str) -> "Executions":
    """Return a state machine's executions in one Region; AWS_ENDPOINT_URL_SFN chooses another endpoint."""
    retries: Any = {"mode": "standard", "total_max_attempts": ATTEMPTS}
    config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries=retries)
    return Executions(boto3.client("stepfunctions", region_name=region, config=config), state_machine_arn)


class Executions:
    """A state machine behind a boto3 client."""

    def __init__(self, client: "SFNClient", state_machine_arn: str) -> None:
        """Start executions of this state machine."""
        self._client = client
        self._arn = state_machine_arn

    def start(self, execution: Execution) -> bool:
        """Say whether the execution has been started, or else existed before: it ran, or runs, under this name.

        ConfigurationError where no execution could be started, TransientError where a later call may start it.
        """
        try:
            self._client.start_execution(stateMachineArn=self._arn, name=execution.name, input=execution.input)
        except ClientError as error:
            if error.response["Error"].get("Code") == EXISTS:
                return False
            raise self._fault(error) from error
        except BotoCoreError as error:
            raise self._fault(error) from error
        return True

    def _fault(self, error: ClientError | BotoCoreError) -> ReconcilerError:
        code = error.response["Error"].get("Code") if isinstance(error, ClientError) else ""
        is_deployment = code in WRONG_DEPLOYMENT or isinstance(error, MISCONFIGURED)
        return (ConfigurationError if is_deployment else TransientError)(f"StartExecution on {self._arn}: {error}")
