"""Steps, run one after another, each told before it is run; or told alone."""

import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence

from infra.deploy.errors import DeployError
from infra.deploy.step import Step, answer_of

Tell = Callable[[str], None]
GO_ON = "What was done stays done: run the same command again to go on."
NEEDED = {"aws": "the AWS command line", "sam": "the AWS SAM command line"}


def tell_all(steps: Sequence[Step], tell: Tell) -> None:
    """Tell every command, and run none."""
    for number, step in enumerate(steps, 1):
        _tell(step, number, len(steps), tell)


def run_all(steps: Sequence[Step], tell: Tell) -> list[str]:
    """Run every command; return what the looks at the end found wrong.

    DeployError names the command that failed, or the tool that is missing before the first was run.
    """
    for tool, name in NEEDED.items():
        if shutil.which(tool) is None:
            raise DeployError(f"{tool} was not found; install {name}")
    found: dict[str, str] = {}
    wrong: list[str] = []
    for number, unfilled in enumerate(steps, 1):
        step = unfilled.filled(found)
        _tell(step, number, len(steps), tell)
        output = _output_of(step, number, len(steps))
        if step.finds:
            found[step.finds] = _found(step, output.strip())
        if step.judge:
            wrong += step.judge(answer_of(output, step), found)
    return wrong


def _tell(step: Step, number: int, of: int, tell: Tell) -> None:
    tell(f"# {number}/{of} {step.purpose}")
    tell(shlex.join(step.command))


def _output_of(step: Step, number: int, of: int) -> str:
    """Run the command, which asks nothing; return what it prints, or let the terminal have it where nobody needs it."""
    needed = bool(step.finds or step.judge)
    output = subprocess.PIPE if needed else None
    done = subprocess.run(step.command, stdin=subprocess.DEVNULL, stdout=output, text=True, check=False)  # noqa: S603 - as printed
    if done.returncode:
        raise DeployError(f"step {number} of {of} ({step.purpose}) failed with status {done.returncode}. {GO_ON}")
    return done.stdout or ""


def _found(step: Step, value: str) -> str:
    """Return a value that was looked up; `None` is how the AWS command line prints that there is none."""
    if value in {"", "None"}:
        raise DeployError(f"{step.purpose}: there is none. {GO_ON}")
    return value
