"""Play: the whole demo, put together."""

from dataclasses import replace

from reconciler.policy import Policy
from replay_tools.demo.bootstrap import ENGINES, POLICY_FILE, clock_ms, draws
from replay_tools.demo.plan import draw_plan
from replay_tools.demo.report import Report
from replay_tools.demo.scenario import POISON_EXPECTED, Scenario, Watch
from replay_tools.demo.world import World

WITHOUT_WORKERS = "WithoutWorkers"


def play(seed: int, writes: int, watch: Watch, engine_name: str) -> Report:
    """Play so many writes with the workers and, beside them, without."""
    started_ms = clock_ms()
    policy = Policy.load(POLICY_FILE)
    with ENGINES[engine_name]() as engine:
        guarded = World(engine, policy, is_guarded=True)
        unguarded = World(engine, replace(policy, name=f"{policy.name}{WITHOUT_WORKERS}"), is_guarded=False)
        plan = draw_plan(draws(seed), writes, policy.regions)
        outcomes = Scenario((guarded, unguarded), plan, clock_ms, watch).play()
    seconds = (clock_ms() - started_ms) / 1000
    return Report(seed, seconds, outcomes[0], outcomes[1], POISON_EXPECTED)
