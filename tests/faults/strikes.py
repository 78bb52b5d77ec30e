"""Faults that strike one exchange: it is forwarded or not, and answered, delayed, hung up on, or reset."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count
from threading import Event

from tests.faults.faulty_server import LONGEST_HOLD_SECONDS, Answer, Exchange, Fault, HangUp, Reset

DYNAMODB = "com.amazonaws.dynamodb.v20120810#"
SQS = "com.amazonaws.sqs#"
CORAL = "com.amazon.coral.service#"
DATE = "%Y%m%dT%H%M%SZ"
TOLERANCE = timedelta(minutes=5)


def refused(code: str, status: int = 400, prefix: str = DYNAMODB) -> Fault:
    """Answer with an error; the engine never hears of the request."""

    def fault(_: Exchange) -> Answer:
        return error(code, "injected", status, prefix)

    return fault


def refused_after(code: str, status: int = 500, prefix: str = DYNAMODB) -> Fault:
    """Answer with an error though the engine has committed."""

    def fault(exchange: Exchange) -> Answer:
        exchange.forward()
        return error(code, "injected", status, prefix)

    return fault


def slow(seconds: float) -> Fault:
    """Pass the request on late."""

    def fault(exchange: Exchange) -> Answer:
        exchange.over.wait(seconds)
        return exchange.forward()

    return fault


def stalled(exchange: Exchange) -> Answer:
    """Let the client wait until it gives up; the engine never hears of the request."""
    exchange.over.wait(LONGEST_HOLD_SECONDS)
    raise HangUp


def stalled_after(exchange: Exchange) -> Answer:
    """Let the client wait until it gives up, though the engine has committed."""
    exchange.forward()
    exchange.over.wait(LONGEST_HOLD_SECONDS)
    raise HangUp


def dropped_after(exchange: Exchange) -> Answer:
    """Close the connection without an answer, though the engine has committed."""
    exchange.forward()
    raise HangUp


def reset_before(exchange: Exchange) -> Answer:
    """Reset the connection; the engine never hears of the request."""
    raise Reset


def reset_after(exchange: Exchange) -> Answer:
    """Reset the connection, though the engine has committed."""
    exchange.forward()
    raise Reset


def halved(exchange: Exchange) -> Answer:
    """Close the connection in the middle of the answer, though the engine has committed."""
    answer = exchange.forward()
    length = max(len(answer.body), 2)
    return Answer(answer.status, answer.body[: length // 2], {**answer.headers, "Content-Length": str(length)})


def garbled(exchange: Exchange) -> Answer:
    """Answer what is no JSON, though the engine has committed."""
    exchange.forward()
    return Answer(200, b"<html>a captive portal</html>")


def every(number: int, fault: Fault) -> Fault:
    """Strike one request in so many."""
    counter = count(1)

    def sometimes(exchange: Exchange) -> Answer:
        return fault(exchange) if next(counter) % number == 0 else exchange.forward()

    return sometimes


def signed_late(off_seconds: int) -> Fault:
    """Refuse signatures by a clock that is so far ahead of this process's, as AWS refuses more than five minutes."""

    def fault(exchange: Exchange) -> Answer:
        now = datetime.now(UTC) + timedelta(seconds=off_seconds)
        sent = exchange.request.headers["x-amz-date"]
        behind = now - datetime.strptime(sent, DATE).replace(tzinfo=UTC)
        if abs(behind) <= TOLERANCE:
            return exchange.forward()
        problem = "Signature expired" if behind > TOLERANCE else "Signature not yet current"
        message = f"{problem}: {sent} against {now:{DATE}} (5 min.)"
        refusal = error("InvalidSignatureException", message, 400, CORAL)
        return Answer(400, refusal.body, {"Date": format_datetime(now, usegmt=True)})

    return fault


def paged(_: Exchange) -> Answer:
    """Answer with an error page, as something in between does that is no part of AWS."""
    return Answer(502, b"<html>bad gateway</html>", {"Content-Type": "text/html"})


@dataclass
class Hold:
    """Stops one exchange at a moment, until it is released.

    before  the engine has not heard of the request, and never will
    inside  the engine has committed, the client has no answer
    after   the client has its answer
    """

    moment: str
    reached: Event = field(default_factory=Event)
    released: Event = field(default_factory=Event)

    def __call__(self, exchange: Exchange) -> Answer:
        """Hold the exchange."""
        answer = None if self.moment == "before" else exchange.forward()
        self.reached.set()
        if self.moment != "after":
            self.released.wait(LONGEST_HOLD_SECONDS)
        if answer is None:
            raise HangUp
        return answer


def error(code: str, message: str, status: int, prefix: str = DYNAMODB) -> Answer:
    """Return an error in AWS's JSON 1.0."""
    body = {"__type": prefix + code, "message": message}
    return Answer(status, json.dumps(body).encode())
