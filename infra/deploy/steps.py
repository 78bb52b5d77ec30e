"""Every command of a deployment, in order, as a value."""

from collections.abc import Iterator, Sequence

from infra.deploy import check
from infra.deploy.errors import DeployError
from infra.deploy.extras import deploy_extras, look_at_extras, look_at_function
from infra.deploy.package import demand_appsync
from infra.deploy.parameters import TABLE, WORKER, demand_known, given_to
from infra.deploy.step import INFRA, Step, Wish, sam_deploy

FUNCTIONS = ("stream", "write", "redrive")
"""What worker.yaml makes, each by its stack's name and this."""

MOST_REGIONS = 3
"""How many replicas table.yaml can make."""


def steps(wish: Wish) -> Sequence[Step]:
    """Return every step; DeployError where what is wished for cannot be deployed, or not as it is meant."""
    regions = wish.package.regions
    if wish.makes_table and not 1 < len(regions) <= MOST_REGIONS:
        raise DeployError(f"the policy has {len(regions)} Regions; infra/table.yaml makes 2 to {MOST_REGIONS} replicas")
    if wish.with_appsync:
        demand_appsync(wish.package)
    demand_known(wish)
    return [
        _account(regions[0]),
        *([_table(wish)] if wish.makes_table else []),
        *(step for region in regions for step in _find_stream(wish, region)),
        *(_worker(wish, region) for region in regions),
        *(step for region in regions for step in deploy_extras(wish, region)),
        *(step for region in regions for step in _look(wish, region)),
        *(step for region in regions for step in look_at_extras(wish, region)),
    ]


def _account(region: str) -> Step:
    command = ("aws", "sts", "get-caller-identity", "--region", region, "--output", "json")
    return Step("see whose account this is", command)


def _table(wish: Wish) -> Step:
    first, *others = wish.package.regions
    names = ("SecondRegion", "ThirdRegion")
    made = {"TableName": wish.package.table, **dict(zip(names, others, strict=False))}
    given = {**made, **given_to(TABLE, wish, first)}
    return Step(
        f"make the table, with a replica in each of {', '.join(wish.package.regions)}",
        (
            *("aws", "cloudformation", "deploy", "--region", first, "--stack-name", wish.table_stack),
            *("--template-file", str(INFRA / TABLE), "--no-fail-on-empty-changeset"),
            *("--parameter-overrides", *(f"{name}={value}" for name, value in given.items())),
        ),
    )


def _find_stream(wish: Wish, region: str) -> Iterator[Step]:
    there = ("--region", region, "--table-name", wish.package.table)
    yield Step(f"wait for the replica in {region}", ("aws", "dynamodb", "wait", "table-exists", *there))
    yield Step(
        f"look up the stream in {region}",
        ("aws", "dynamodb", "describe-table", *there, "--query", "Table.LatestStreamArn", "--output", "text"),
        finds=_stream(region),
    )


def _stream(region: str) -> str:
    return f"stream of {region}"


def _worker(wish: Wish, region: str) -> Step:
    found = {"TableName": wish.package.table, "StreamArn": f"<{_stream(region)}>"}
    given = {**found, **given_to(WORKER, wish, region)}
    return Step(f"deploy the worker in {region}", sam_deploy(region, wish.worker_stack, WORKER, given))


def _look(wish: Wish, region: str) -> Iterator[Step]:
    """Yield the commands that look at what runs in a Region; they change nothing."""
    package, there = wish.package, ("--region", region, "--output", "json")
    table = ("--table-name", package.table)
    yield Step(
        f"look at the table in {region}",
        ("aws", "dynamodb", "describe-table", *there, *table),
        judge=check.table(package, region),
    )
    yield Step(
        f"look at its time to live in {region}",
        ("aws", "dynamodb", "describe-time-to-live", *there, *table),
        judge=check.time_to_live(region),
    )
    for name in FUNCTIONS:
        yield look_at_function(package, f"{wish.worker_stack}-{name}", region, package.table)
    stream = f"{wish.worker_stack}-{FUNCTIONS[0]}"
    yield Step(
        f"look at the stream's mapping in {region}",
        ("aws", "lambda", "list-event-source-mappings", *there, "--function-name", stream),
        judge=check.mapping(_stream(region), region),
    )
