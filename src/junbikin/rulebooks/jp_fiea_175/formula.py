"""Article 175: the lower of this year's accrual and what the cap leaves, line by line over three years.

Source: Cabinet Office Ordinance on Financial Instruments Business (金商業等府令) 175(1) and (2).
"""

from datetime import timedelta

from junbikin.calendars import Period
from junbikin.figures import Figure, Name, largest, smallest, total
from junbikin.findings import Finding, Severity
from junbikin.rulebooks.interface import Facts, Outcome
from junbikin.rulebooks.parameters import Rules


def assess(facts: Facts, rules: Rules) -> Outcome:
    """The requirement (要積立額): the reserve held net of use, plus this year's accrual. In yen."""
    years = [facts.fiscal_year(back) for back in range(rules.integer("years_compared", least=1))]
    lines = rules.under("accrual")
    bases = {line: [_base(facts, rules, line, year) for year in years] for line in lines}
    by_volume = total([_accrued(rules, line, bases[line][0]) for line in lines], facts.currency).named(
        "by_volume", "this year's volume × accrual rates", "当期取引量×積立率の合計"
    )
    cap = total([_capped(rules, line, bases[line]) for line in lines], facts.currency).named(
        "cap", "highest year's volume × cap rates", "最高年度取引量×限度率の合計"
    )
    existing = _existing(facts, rules, years[0])
    room = (cap - existing).named("room", "what the cap leaves", "限度額の残り")
    accrual = largest(smallest(by_volume, room), rules.number("least_accrual")).named(
        "accrual", f"accrual for {years[0].name}", f"{years[0].name}の積立額"
    )
    requirement = (existing + accrual).named("requirement", "requirement", "要積立額")
    return Outcome(requirement, (by_volume, cap, existing, room, accrual), _findings(facts, years[0], cap, existing))


def _base(facts: Facts, rules: Rules, line: str, year: Period) -> Figure:
    """A line's base in a year: what was declared under the line itself, and the trade lines that count under it."""
    parts = [facts.volume(line, year)]
    for ours in rules.under("line_of"):
        statutory, source = rules.choice(f"line_of.{ours}", rules.under("accrual"))
        if statutory == line:
            name = Name(f"{ours} under {line}", f"{ours}を{line}に算入")
            parts.append(facts.volume(ours, year).taken_as(name, source))
    return total(parts, facts.currency).named(
        f"base.{line}.{year.name}", f"base of line {line} in {year.name}", f"{line}の{year.name}の基礎額"
    )


def _accrued(rules: Rules, line: str, base: Figure) -> Figure:
    return (base * rules.number(f"accrual.{line}")).named(f"accrued.{line}", f"accrual, line {line}", f"積立額 {line}")


def _capped(rules: Rules, line: str, bases: list[Figure]) -> Figure:
    highest = largest(*bases).named(f"highest.{line}", f"highest year, line {line}", f"最高年度 {line}")
    return (highest * rules.number(f"cap.{line}")).named(f"capped.{line}", f"cap, line {line}", f"限度額 {line}")


def _existing(facts: Facts, rules: Rules, year: Period) -> Figure:
    """175(1)(ii)ヲ: set aside before this year, less what was used or released up to the day."""
    before = facts.reserve_booked("accrual", until=year.start - timedelta(days=1))
    gone = total([facts.reserve_booked(kind, until=facts.as_of) for kind in ("use", "release")], facts.currency).named(
        "used", "used or released", "使用・取崩額"
    )
    left = before.named("set_aside", "set aside in earlier years", "前期までの積立額") - gone
    return largest(left, rules.number("least_existing")).named(
        "existing", "reserve held, net of use", "既積立額（使用額控除後）"
    )


def _findings(facts: Facts, year: Period, cap: Figure, existing: Figure) -> tuple[Finding, ...]:
    found = []
    if facts.as_of < year.end:
        found.append(
            Finding(
                "year-open",
                Severity.NOTICE,
                Name(f"{year.name} runs until {year.end}: the accrual is for the volume so far", f"{year.name}は{year.end}まで続き、積立額は途中経過である"),
                Name("assess again at the year's end", "年度末に再度算定する"),
                Name("FIB Ordinance 175(1)", "金商業等府令175条1項"),
            )
        )  # fmt: skip
    if cap.value is not None and existing.value is not None and existing.value > cap.value:
        found.append(
            Finding(
                "above-cap",
                Severity.NOTICE,
                Name("the reserve held is above the cap", "既積立額が限度額を超えている"),
                Name("the excess may be released at the year's end", "超過分は年度末に取り崩すことができる"),
                Name("FIB Ordinance 175(2)", "金商業等府令175条2項"),
                amount=(existing - cap).named("excess", "excess over the cap", "限度超過額"),
            )
        )
    return tuple(found)
