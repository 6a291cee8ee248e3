"""A candidate: clamp((V + K) × H × P, floor, ceiling). Ours, for comparison; no authority has published one.

V weighs volume as article 175 does, K what is in custody, H the history of incidents in the form of Basel's
internal loss multiplier (OPE25), P the controls as graded.
"""

from datetime import timedelta

from junbikin.calendars import Period, months_after
from junbikin.figures import Figure, Name, Rounding, clamp, euler, largest, ln, power, ratio, total
from junbikin.findings import Finding, Severity
from junbikin.rulebooks.interface import Facts, Outcome
from junbikin.rulebooks.parameters import Rules

PLACES = 12
"""Decimals of the multipliers, half-even."""


def assess(facts: Facts, rules: Rules) -> Outcome:
    """The requirement, in yen."""
    volume, custody = _volume_leg(facts, rules), _custody_leg(facts, rules)
    base = total([volume, custody], facts.currency).named("base", "volume leg + custody leg", "取引量＋預り")
    history = _incident_history(facts, rules, base)
    profile, findings = _risk_profile(facts, rules)
    weighed = (base * history * profile).named("weighed", "base × history × profile", "基礎額×事故実績×リスク特性")
    requirement = clamp(weighed, rules.number("floor"), rules.number("ceiling")).named(
        "requirement", "requirement", "要積立額"
    )
    return Outcome(requirement, (volume, custody, base, history, profile, weighed), tuple(findings))


def _volume_leg(facts: Facts, rules: Rules) -> Figure:
    years = [facts.fiscal_year(back) for back in range(rules.integer("years_compared", least=1))]
    legs = []
    for line in rules.under("volume_rate"):
        highest = largest(*(facts.volume(line, year) for year in years)).named(
            f"highest.{line}", f"highest year of {line}", f"{line}の最高年度"
        )
        legs.append(
            (highest * rules.number(f"volume_rate.{line}")).named(f"volume_leg.{line}", f"leg of {line}", f"{line}の額")
        )
    return total(legs, facts.currency).named("volume_leg", "volume leg (V)", "取引量の額（V）")


def _custody_leg(facts: Facts, rules: Rules) -> Figure:
    assets = facts.customer_assets()
    cold = total([asset.cold for asset in assets], facts.currency).named("cold", "in cold storage", "コールド保管")
    rest = total([asset.rest for asset in assets], facts.currency).named("rest", "not in cold storage", "コールド以外")
    return total([rest * rules.number("custody.hot"), cold * rules.number("custody.cold")], facts.currency).named(
        "custody_leg", "custody leg (K)", "預りの額（K）"
    )


def _incident_history(facts: Facts, rules: Rules, base: Figure) -> Figure:
    """H = max(1, ln(e − 1 + (LC / base)^0.8)), LC = 15 × average annual net loss."""
    count = rules.number("losses.years")
    start = months_after(facts.as_of, -12 * rules.integer("losses.years", least=1))
    period = Period(f"{count.known} years", start + timedelta(days=1), facts.as_of)
    average = largest(ratio(facts.net_losses(period), count, 2, Rounding.HALF_EVEN), rules.number("losses.none")).named(
        "average_loss", "average annual net loss", "年平均純損失"
    )
    component = (average * rules.number("losses.factor")).named(
        "loss_component", "loss component (LC)", "損失要素（LC）"
    )
    least = rules.number("losses.least")
    if base.value is None or base.value <= 0:
        return least.named("history", "incident history (H), no base to compare with", "事故実績倍率（H）")
    share = ratio(component, base, PLACES, Rounding.HALF_EVEN).named("loss_share", "LC ÷ base", "LC÷基礎額")
    inner = euler(PLACES) - rules.number("losses.one") + power(share, rules.number("losses.exponent"), PLACES)
    return largest(ln(inner, PLACES), least).named("history", "incident history (H)", "事故実績倍率（H）")


def _risk_profile(facts: Facts, rules: Rules) -> tuple[Figure, list[Finding]]:
    """P: the neutral multiplier with each control's adjustment, between its bounds. What is ungraded counts worst."""
    parts, findings = [rules.number("risk.neutral")], []
    for control in dict.fromkeys(key.split(".")[0] for key in rules.under("control")):
        graded = facts.grade(control)
        if graded is None or not rules.has(f"control.{control}.{graded.grade}"):
            parts.append(rules.number(f"control.{control}.not_assessed"))
            findings.append(_ungraded(control, graded.grade if graded else ""))
        else:
            adjustment = rules.number(f"control.{control}.{graded.grade}")
            parts.append(
                adjustment.taken_as(
                    Name(f"{control} graded {graded.grade}", f"{control}：{graded.grade}"), graded.source
                )
            )
    bounds = rules.number("risk.least"), rules.number("risk.most")
    return clamp(total(parts, "1"), *bounds).named("profile", "risk profile (P)", "リスク特性倍率（P）"), findings


def _ungraded(control: str, grade: str) -> Finding:
    en = f"{control} has the unknown grade {grade!r}" if grade else f"{control} was never graded"
    ja = f"{control}の評価「{grade}」は未定義" if grade else f"{control}は未評価"
    return Finding(
        "control-ungraded",
        Severity.WARNING,
        Name(f"{en}: it counts as the worst", f"{ja}：最も不利に扱う"),
        Name("ingest its grade into `controls`", "`controls` に評価を取り込む"),
    )
