"""D4 and D6: how much the callers talk to the module, and whether it works more than others."""

from monolift.kernel import operations_of
from monolift.lift.advice.advice import Criterion, Outcome
from monolift.lift.advice.material import Material
from monolift.lift.advice.shares import counted, percent, percentile, share, size
from monolift.lift.rehearsal.report import LOOP
from monolift.observe.seen import BUCKET, Line, Seen, Weighed, add_counts
from monolift.registry.modules import modules

_TOO_FEW = "{} were weighed, {:g} are needed: let the system run (MONOLIFT['WEIGH'] is above 0)"


def operations(label: str) -> tuple[str, ...]:
    """The names of what the module answers: `inventory.reserve`."""
    return tuple(
        operation.name
        for interface in modules()[label].provides
        for operation in operations_of(interface).values()
    )


def loops(seen: Seen, label: str) -> list[Line]:
    """Lines that call the module more than once in one request, most calls first."""
    names = operations(label)
    found = [one for one in seen.lines if one.operation in names and one.most >= LOOP]
    return sorted(found, key=lambda line: (-line.most, line.place))


def thin(material: Material, label: str) -> Criterion:
    """D4: few calls in a request, few bytes in a call, none in a loop."""
    limits, seen = material.limits, material.seen

    def criterion(outcome: Outcome, value: str, source: str) -> Criterion:
        return Criterion(
            number="D4",
            title="Talk is thin",
            outcome=outcome,
            value=value,
            source=source,
            threshold=f"<= {limits.CALLS_PER_REQUEST:g} calls a request, <= "
            f"{size(limits.BYTES_PER_CALL)} a call (p95), {limits.LOOPS:g} N+1",
        )

    names = operations(label)
    source = "calls that were weighed"
    calls = dict(seen.modules.get(label, Weighed()).calls)
    powers: dict[int, int] = {}
    for name in names:
        add_counts(powers, seen.talk[name].bytes if name in seen.talk else {})
    repeated = {line.place: line for line in loops(seen, label)}
    worst = [f"{line.place} calls {line.operation} {line.most} times" for line in repeated.values()]
    large = 2 ** percentile(powers, 0.95) if powers else 0
    report = material.rehearsal
    if report is not None and label in report.modules:
        source += ", a rehearsal"
        for name in names:
            called = report.operations.get(name)
            if called is not None:
                add_counts(calls, called.per_request)
                large = large if powers else max(large, called.largest)
        worst += [
            f"{hurt.place} calls {hurt.operation} in a loop"
            for hurt in report.hurts
            if hurt.kind == "loop" and hurt.operation in names and hurt.place not in repeated
        ]
    requests = sum(calls.values())
    many = percentile(calls, 0.95)
    value = f"{counted(many, 'call')} a request, up to {size(large)} a call, {len(worst)} N+1"
    if worst:
        value += f" ({worst[0]})"
    value += f", in {counted(requests, 'request')}"
    thick = many > limits.CALLS_PER_REQUEST or large > limits.BYTES_PER_CALL
    if requests and (thick or len(worst) > limits.LOOPS):
        return criterion(Outcome.FAIL, value, source)
    if requests < limits.FEWEST_REQUESTS:
        few = _TOO_FEW.format(counted(requests, "request"), limits.FEWEST_REQUESTS)
        return criterion(Outcome.UNKNOWN, few, source)
    return criterion(Outcome.PASS, value, source)


def heavy(material: Material, label: str) -> Criterion:
    """D6: the module takes far more of the processor than its share of the requests."""
    limits, seen = material.limits, material.seen

    def criterion(outcome: Outcome, value: str) -> Criterion:
        return Criterion(
            number="D6",
            title="Scaling mismatch",
            outcome=outcome,
            value=value,
            source="time.thread_time of requests that were weighed",
            threshold=f"> {percent(limits.CPU_SHARE)} of the CPU, >= {limits.CPU_RATIO:g} times "
            "its share of requests",
        )

    if seen.requests < limits.FEWEST_REQUESTS:
        few = _TOO_FEW.format(counted(seen.requests, "request"), limits.FEWEST_REQUESTS)
        return criterion(Outcome.UNKNOWN, few)
    cpu, part = cpu_share(seen, label)
    ratio = share(cpu, part)
    value = (
        f"{percent(cpu)} of the CPU in {percent(part)} of {counted(seen.requests, 'request')}: "
        f"{ratio:.1f} times"
    )
    own, rest = peaks(seen, label)
    if own and rest:
        value += f"; peak to mean {own:.1f}, the rest {rest:.1f}"
    good = cpu > limits.CPU_SHARE and ratio >= limits.CPU_RATIO
    return criterion(Outcome.PASS if good else Outcome.FAIL, value)


def cpu_share(seen: Seen, label: str) -> tuple[float, float]:
    """The module's share of the CPU, and of the requests, handlers, tasks and steps."""
    module = seen.modules.get(label, Weighed())
    return share(module.cpu, seen.cpu), share(module.requests, seen.requests)


def peaks(seen: Seen, label: str) -> tuple[float, float]:
    """The CPU of the busiest five minutes against the mean: of the module, and of the others."""
    own = dict(seen.modules.get(label, Weighed()).buckets)
    rest: dict[int, float] = {}
    for other, module in seen.modules.items():
        if other != label:
            for bucket, cpu in module.buckets.items():
                rest[bucket] = rest.get(bucket, 0.0) + cpu
    spans = {*own, *rest}
    length = max(spans) - min(spans) + 1 if spans else 0
    if length < 2:  # no more than BUCKET seconds: a mean of one is no mean
        return 0.0, 0.0
    return tuple(  # type: ignore[return-value]  # of two
        share(max(of.values(), default=0.0), sum(of.values()) / length) for of in (own, rest)
    )


__all__ = ["BUCKET", "cpu_share", "heavy", "loops", "operations", "peaks", "thin"]
