"""Known cases worked again: the published totals come out, every fact says where it is from, and what changes a fact changes the outcome."""

from __future__ import annotations

import json
import shutil
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner

from junbikin.cli import root
from junbikin.errors import BadInput
from junbikin.figures import Figure, Provenance, Rule, from_table
from junbikin.home import create_home, open_home
from junbikin.incidents.replays.document import document, figures
from junbikin.incidents.replays.facts import CaseFacts
from junbikin.incidents.replays.reading import known_cases, load_case
from junbikin.incidents.replays.replay import REGIMES, Replay, Row, regimes_for, replay
from junbikin.reports.replay_charts import pieces
from junbikin.reports.replay_page import replay_page
from junbikin.rulebooks.load import known_rulebooks

CASES = ("coincheck-2018", "zaif-2018", "dmm-bitcoin-2024")


@pytest.fixture(scope="module")
def replays() -> dict[str, Replay]:
    return {name: replay(load_case(name)) for name in CASES}


def row(one: Replay, code: str) -> Row:
    return next(row for row in one.rows if row.code == code)


def used(one: Replay, code: str, kind: str) -> Decimal:
    return next(line.used.known for line in row(one, code).lines if line.source.kind == kind)


def left(one: Replay, code: str) -> Decimal:
    figure = row(one, code).left
    assert figure is not None
    return figure.known


def altered(tmp_path: Path, case: str, *changes: tuple[str, str]) -> Path:
    """A copy of a case in which each text, which must be there, is replaced by another."""
    text = known_cases()[case].read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    file = tmp_path / f"{case}.toml"
    file.write_text(text, encoding="utf-8")
    return file


def altered_rulebook(tmp_path: Path, rulebook: str, before: str, after: str) -> str:
    folder = tmp_path / rulebook
    shutil.copytree(known_rulebooks()[rulebook], folder)
    text = (folder / "rulebook.toml").read_text(encoding="utf-8")
    assert before in text
    (folder / "rulebook.toml").write_text(text.replace(before, after), encoding="utf-8")
    return str(folder)


def test_the_cases_are_listed_by_date() -> None:
    assert tuple(known_cases()) == CASES


def test_coincheck_paid_523_million_xem_at_its_price_after_45_days(replays: dict[str, Replay]) -> None:
    one = replays["coincheck-2018"]
    assert one.needed.known == Fraction("88.549") * 523_000_000 == 46_311_127_000
    assert one.case.people.known == 260_000
    assert one.days == 45


def test_zaif_paid_monacoin_partly_in_kind_and_partly_in_yen_after_77_days(replays: dict[str, Replay]) -> None:
    one = replays["zaif-2018"]
    paid = {(paid.taken.asset, part.pays): amount.known for paid in one.paid for part, amount in paid.parts}
    in_yen = Fraction("5911859.3") * Fraction("0.397") * Fraction("144.548")
    assert paid == {
        ("BTC", "BTC"): Decimal("2723.4"),
        ("MONA", "MONA"): Decimal("3564851.1579"),
        ("MONA", "JPY"): 339_255_333,
        ("BCH", "BCH"): Decimal("40360"),
    }
    assert abs(in_yen - 339_255_333) < Fraction(1, 2)
    assert one.days == 77


def test_zaifs_whole_loss_is_each_quantity_at_its_close_to_the_yen(replays: dict[str, Replay]) -> None:
    published = {"BTC": 4_251_234_047, "MONA": 671_704_448, "BCH": 2_107_677_945}
    for paid in replays["zaif-2018"].paid:
        worth = Fraction(paid.taken.taken.known) * Fraction(paid.taken.worth.known)
        assert abs(worth - published[paid.taken.asset]) <= Fraction(1, 2)


def test_dmm_bitcoin_paid_4502_9_bitcoin_in_kind_after_14_days(replays: dict[str, Replay]) -> None:
    one = replays["dmm-bitcoin-2024"]
    [(part, amount)] = one.paid[0].parts
    assert (part.pays, amount.known) == ("BTC", Decimal("4502.9"))
    assert one.days == 14


@pytest.mark.parametrize("case", CASES)
def test_the_published_total_comes_out_but_for_a_difference_that_is_explained(
    case: str, replays: dict[str, Replay]
) -> None:
    one = replays[case]
    assert one.difference.known == one.loss.known - one.case.published.total.known
    assert one.agrees
    assert one.difference.note == one.case.published.explained


def test_a_difference_beyond_what_is_explained_is_told(tmp_path: Path) -> None:
    one = replay(load_case(str(altered(tmp_path, "coincheck-2018", ('within = "50000000"', 'within = "11126999"')))))
    assert not one.agrees
    assert "more than explained" in replay_page([one])


@pytest.mark.parametrize("case", CASES)
def test_every_leaf_is_a_fact_with_its_provenance_or_a_hole_that_says_why(
    case: str, replays: dict[str, Replay]
) -> None:
    leaves = [part for figure in figures(replays[case]) for part in figure.walk() if not part.inputs]
    assert leaves
    for leaf in leaves:
        if leaf.op == "hole":
            assert leaf.note is not None
            assert leaf.note.en
            assert leaf.note.ja
        elif leaf.op == "given":
            assert isinstance(leaf.source, Rule)
            assert leaf.source.citation
            assert leaf.source.citation_ja


@pytest.mark.parametrize("case", CASES)
def test_who_pays_sums_to_what_was_needed_under_every_regime(case: str, replays: dict[str, Replay]) -> None:
    one = replays[case]
    for each in one.rows:
        assert not each.stopped
        if each.unpaid is not None and each.unpaid.value is not None:
            assert sum(line.used.known for line in each.lines) + each.unpaid.known == one.needed.known
        drawn = pieces(each, one.needed)
        assert sum(piece.amount for piece in drawn) == one.needed.known
        assert sum(piece.width for piece in drawn) == 1000


def test_a_guarantee_in_kind_pays_for_hot_coins_and_for_no_cold_ones(replays: dict[str, Replay]) -> None:
    assert left(replays["coincheck-2018"], "jp-psa") == 0
    assert left(replays["zaif-2018"], "jp-psa") == 0
    assert left(replays["dmm-bitcoin-2024"], "jp-psa") == replays["dmm-bitcoin-2024"].needed.known


def test_the_securities_precedent_pays_less_than_a_hundredth_of_each(replays: dict[str, Replay]) -> None:
    for one in replays.values():
        assert used(one, "jp-fiea-175", "reserve") * 100 < one.needed.known


def test_article_175_is_this_years_volume_at_its_rate_on_what_earlier_years_set_aside(
    replays: dict[str, Replay],
) -> None:
    rate = Decimal("0.00002")
    assert used(replays["coincheck-2018"], "jp-fiea-175", "reserve") == 9_108_600_000_000 * rate
    assert used(replays["dmm-bitcoin-2024"], "jp-fiea-175", "reserve") == (438_672_000_000 + 73_112_000_000) * rate


def test_the_korean_cover_is_its_share_at_last_years_mean_or_its_floor(replays: dict[str, Replay]) -> None:
    assert used(replays["coincheck-2018"], "kr-vaupa", "reserve") == 523_000_000 * Decimal("20.138") * Decimal("0.05")
    assert used(replays["dmm-bitcoin-2024"], "kr-vaupa", "reserve") == 3_000_000_000 * Decimal("0.11")


def test_what_is_not_published_stays_unknown_and_is_never_nothing(replays: dict[str, Replay]) -> None:
    one = replays["dmm-bitcoin-2024"]
    assert row(one, "none").unpaid is not None
    assert row(one, "none").unpaid.value is None  # type: ignore[union-attr]
    assert [piece.kind for piece in pieces(row(one, "none"), one.needed)] == ["unknown"]
    asked = row(replays["coincheck-2018"], "jp-fiea-175").requirement
    assert asked is not None
    assert any("April to June 2017" in hole.note.en for hole in asked.holes if hole.note)


def test_a_changed_parameter_of_a_rulebook_changes_what_is_left(tmp_path: Path) -> None:
    folder = altered_rulebook(tmp_path, "jp-reserve-candidate", 'value = "2000000000"', 'value = "3000000000"')
    one = replay(load_case("zaif-2018"), (("jp-reserve-candidate",), (folder,)))
    before, after = (each.left for each in one.rows)
    assert before is not None
    assert after is not None
    assert before.known - after.known == 1_000_000_000


def test_half_a_guarantee_leaves_half_of_what_lay_hot(tmp_path: Path) -> None:
    folder = altered_rulebook(
        tmp_path,
        "jp-psa",
        '暗号資産府令29条：コールド管理" }\nvalues = [{ from = 2020-05-01, value = "1" }]',
        '暗号資産府令29条：コールド管理" }\nvalues = [{ from = 2020-05-01, value = "0.5" }]',
    )
    one = replay(load_case("coincheck-2018"), ((folder,),))
    assert left(one, "jp-psa") * 2 == one.needed.known


def test_a_rulebook_that_a_home_names_or_a_plug_in_brings_is_held_against_the_cases(
    tmp_path: Path,
) -> None:
    altered_rulebook(tmp_path, "jp-reserve-candidate", 'value = "2000000000"', 'value = "3000000000"')
    create_home(tmp_path / "home", "X")
    config = tmp_path / "home" / "junbikin.toml"
    text = config.read_text(encoding="utf-8")
    assert '"hk-sfc"]' in text
    config.write_text(text.replace('"hk-sfc"]', '"hk-sfc", "../jp-reserve-candidate"]'), encoding="utf-8")
    regimes = regimes_for(open_home(tmp_path / "home"))
    assert regimes[: len(REGIMES)] == REGIMES
    [own] = regimes[len(REGIMES) :]
    one = replay(load_case("zaif-2018"), (("jp-reserve-candidate",), own))
    shipped, of_home = (each.left for each in one.rows)
    assert shipped is not None
    assert of_home is not None
    assert shipped.known - of_home.known == 1_000_000_000
    assert regimes_for(None) == REGIMES  # of what ships, none is left out that says who pays


def test_that_no_earlier_losses_are_counted_is_told_as_an_assumption(replays: dict[str, Replay]) -> None:
    facts = CaseFacts(replays["zaif-2018"].case, date(2018, 9, 14))
    source = facts.net_losses(facts.fiscal_year()).source
    assert isinstance(source, Rule)
    assert source.provenance is Provenance.ASSUMPTION


def test_rules_of_a_day_before_they_were_made_stop_the_row_by_name(tmp_path: Path) -> None:
    file = altered(tmp_path, "coincheck-2018", ("rules_on = 2026-03-31", "rules_on = 2018-01-26"))
    one = replay(load_case(str(file)))
    stopped = {each.code: each.stopped for each in one.rows if each.stopped}
    assert set(stopped) == {"jp-psa", "jp-psa+jp-fiea-175", "jp-psa+jp-reserve-candidate", "kr-vaupa", "hk-sfc"}
    assert all("has no value on 2018-01-26" in why for why in stopped.values())
    assert "has no value on 2018-01-26" in replay_page([one])


def test_own_funds_that_were_not_there_would_have_been_left_unpaid(tmp_path: Path) -> None:
    file = altered(tmp_path, "coincheck-2018", ('value = "47300000000"\nrests_on', 'value = "0"\nrests_on'))
    one = replay(load_case(str(file)))
    assert row(one, "none").unpaid == row(one, "none").lines[-1].unpaid_after.named("unpaid", "left unpaid", "未払額")
    assert row(one, "none").unpaid.known == one.needed.known  # type: ignore[union-attr]
    assert row(one, "jp-psa").unpaid.known == 0  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('cause = "hack"', 'cause = "bad luck"', "no cause"),
        ('value = "523000000"', "value = 523000000", "not in quotes"),
        ('rests_on = "official"', 'rests_on = "hearsay"', "no provenance"),
        ("rests_on = ", "restson = ", "did you mean 'rests_on'"),
        ("happened_on = 2018-01-26", 'happened_on = "2018-01-26"', "not well formed"),
        ('share = { value = "1"', 'share = { value = "0.9"', "sum to 0.9"),
        ('pays = "JPY"', 'pays = "USD"', "pays the asset, or JPY"),
        ("[people]", "[people", "not TOML"),
    ],
)
def test_a_case_that_is_not_well_formed_is_refused_by_place(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    file = altered(tmp_path, "coincheck-2018", (before, after))
    with pytest.raises(BadInput) as refused:
        load_case(str(file))
    assert message in str(refused.value)
    assert file.name in str(refused.value)


def test_an_unknown_case_names_a_near_one() -> None:
    with pytest.raises(BadInput, match="coincheck-2018"):
        load_case("coincheck-2019")


@pytest.mark.parametrize("case", CASES)
def test_the_document_opens_every_amount_that_it_states(case: str, replays: dict[str, Replay]) -> None:
    content = json.loads(json.dumps(document(replays[case])))
    for each in content["rows"]:
        for line in each["waterfall"]:
            for name in ("available", "used", "unpaid_after"):
                opened: Figure = from_table(content["figures"], line[name]["figure"])
                stated = line[name]["value"]
                assert (None if stated is None else Decimal(stated)) == opened.value


def test_the_page_shows_every_source_in_both_languages_and_what_others_state(replays: dict[str, Replay]) -> None:
    page = replay_page(list(replays.values()), "ja")
    for text in (
        "Coincheck, notice of 2018-01-28",
        "コインチェック 2018年1月28日公表",
        "526,300,000",
        "assumption",
        "press",
    ):
        assert text in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_command_lists_cases_shows_one_and_writes_its_page(tmp_path: Path) -> None:
    runner, page = CliRunner(), tmp_path / "page.html"
    listed = runner.invoke(root, ["--lang", "en", "incident", "replay"], catch_exceptions=False)
    assert [line.split()[0] for line in listed.output.splitlines()[1:]] == list(CASES)
    told = runner.invoke(
        root, ["--lang", "en", "incident", "replay", "zaif-2018", "--html", str(page)], catch_exceptions=False
    )
    assert "¥4,673,515,524" in told.output
    assert "Zaif, September 2018" in page.read_text(encoding="utf-8")
    shown = runner.invoke(root, ["incident", "replay", "dmm-bitcoin-2024", "--json"], catch_exceptions=False)
    assert json.loads(shown.stdout)["replays"][0]["needed"]["value"] == "48181030000"
