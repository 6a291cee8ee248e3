"""Plans on a small exchange: amounts, digests, who pays, what is left, and what cannot be planned."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest

from books.cast import Cast, open_accounts
from custody.conftest import bring
from junbikin.books.accounts import freeze
from junbikin.books.claims import plans_of
from junbikin.books.journal import account_numbers, balance
from junbikin.errors import BadInput, BooksRefused, PositionProblem, SourceRefused
from junbikin.figures import Figure
from junbikin.figures.amounts import EXACT
from junbikin.incidents import disputes
from junbikin.incidents import incident as events
from junbikin.incidents.plan.asking import ask
from junbikin.incidents.plan.compare import Compared, side_by_side
from junbikin.incidents.plan.document import Plan, check_files, derivation, plan_with, plans, read_plan
from junbikin.incidents.plan.entitlements import chunk_columns, chunk_says, digest_of
from junbikin.incidents.plan.making import make
from junbikin.incidents.timeline import tell
from junbikin.registry.requests import ask_to_record

from .scene import BALANCES, IN_KIND, INCIDENT, OCCURRED, TODAY, YEN, Scene, approved, built

LISTED = ["B", "a", "b", "c", "é", "zz", "0", "利用者", "a b", "A,B", *(f"c{n}" for n in range(6, 300))]
"""Customers who hold no BTC, for files of accounts."""


@pytest.fixture(scope="module")
def scene(founded: Callable[[Path], Cast], tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """One exchange for every test that changes nothing but its own plans."""
    folder = tmp_path_factory.mktemp("plan")
    customers = [f'2026-03-09,"{account}",ETH,1' for account in LISTED]
    return built(founded(folder / "home"), folder, [*BALANCES, *customers])


def nothing(what: str, share: float) -> None:
    """A progress that nobody sees."""


def amounts(plan: Plan, asset: str = "JPY") -> dict[str, Decimal]:
    with duckdb.connect() as engine:
        rows = engine.execute(f"SELECT account_id, \"{asset}\" FROM '{plan.entitlements}' ORDER BY number").fetchall()
    return {account: Decimal(amount) for account, amount in rows}


def side(scene: Scene, plan: Plan) -> Compared:
    """The plan beside others."""
    [found] = side_by_side(scene.cast.books, scene.incident(), [plan])
    return found


def value(figure: Figure) -> Decimal:
    return figure.known


FIXED = 'how = "fixed", value = "{}", source = "a page"'


def at_price(price: str, share: str = "1") -> str:
    return YEN.format(price=FIXED.format(price)).replace('share = "1"', f'share = "{share}"')


# Amounts


def test_everyone_is_owed_holding_times_price_and_the_sum_is_the_total(scene: Scene) -> None:
    plan = scene.plan()
    assert amounts(plan) == {"c1": 15_000_000, "c2": 2_500_000, "c3": 30_000_000, "c5": 0}
    assert value(plan.legs[0].total) == 47_500_000
    assert value(plan.legs[0].exact) == Decimal("47500000.4")
    assert plan.people == 4


def test_in_kind_everyone_gets_just_what_they_held(scene: Scene) -> None:
    plan = scene.plan(parts=IN_KIND)
    assert amounts(plan, "BTC") == {
        "c1": Decimal("1.5"), "c2": Decimal("0.25000001"), "c3": Decimal(3), "c5": Decimal("0.00000003"),
    }  # fmt: skip
    assert value(plan.owed) == value(plan.held) == Decimal("4.75000004")


def test_coarser_than_what_is_held_nothing_is_paid_in_kind(scene: Scene) -> None:
    with pytest.raises(BadInput, match="8 decimals, and only 7") as problem:
        scene.plan(parts=IN_KIND.replace("8", "7"))
    assert "decimals = 8" in problem.value.then


@pytest.mark.parametrize("lost", ["0.00000001", "1", "4.75000003", "4.75000004", "100"])
def test_pro_rata_nobody_gets_more_than_they_held_and_all_of_what_was_lost_is_paid(scene: Scene, lost: str) -> None:
    plan = scene.plan(parts=IN_KIND, shared=f'how = "pro_rata"\nlost = "{lost}"')
    held = amounts(scene.plan("held", parts=IN_KIND), "BTC")
    owed = amounts(plan, "BTC")
    assert sum(owed.values()) == min(Decimal(lost), Decimal("4.75000004"))
    assert all(owed[account] <= held[account] for account in held)
    for account in held:
        assert derivation(scene.home, plan, account)[0].value == owed[account]


@pytest.fixture(scope="module")
def known_cases(founded: Callable[[Path], Cast], tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """An exchange whose customers hold MONA as Zaif's did, and XEM as Coincheck's did; the few who hold it are invented."""
    folder = tmp_path_factory.mktemp("cases")
    cast = founded(folder / "home")
    open_accounts(cast, ["guarantee/MONA/vault", "own/MONA/vault"])
    xem = ["2018-01-26,a,XEM,1.000001", "2018-01-26,b,XEM,522999998.999999"]
    return built(cast, folder, [*BALANCES, "2026-03-09,m1,MONA,6236810.1", "2026-03-09,m2,MONA,10.123", *xem])


def test_zaif_s_mix_pays_sixty_point_three_per_cent_in_kind_and_the_rest_at_its_price(known_cases: Scene) -> None:
    kind = IN_KIND.replace("BTC", "MONA").replace('"1"', '"0.603"')
    plan = known_cases.plan(
        "mix",
        affected='who = "holders"\nasset = "MONA"\nat = 2026-03-10T12:00:00+09:00',
        parts=f"{kind}\n{at_price('144.548', '0.397')}",
        place='JPY = "kaede"\nMONA = "vault"',
    )
    held = Decimal("6236810.1") + Decimal("10.123")
    in_kind, yen = plan.legs
    assert value(in_kind.total) == held * Decimal("0.603")
    exact = held * Decimal("0.397") * Decimal("144.548")
    assert value(yen.exact) == exact
    assert value(yen.total) == exact.quantize(Decimal(1), rounding="ROUND_HALF_UP")
    assert sum(amounts(plan).values()) == value(yen.total)
    assert sum(amounts(plan, "MONA").values()) == value(in_kind.total)
    assert amounts(plan, "MONA")["m1"] == Decimal("6236810.1") * Decimal("0.603")


def test_coincheck_s_rule_pays_the_average_price_for_every_xem(known_cases: Scene) -> None:
    """523 million XEM at ¥88.549: about the ¥46.3bn that were published. The trades are invented so that their average is that price."""
    trades = ["110,1.0000000", "80,2.5091823", "0.00000001,0.0000001"]
    rows = [f"zaif,{n},2018-01-26T12:{n + 9:02}:00+09:00,XEM,JPY,{row}" for n, row in enumerate(trades)]
    rows.append("zaif,9,2018-01-27T23:00:00+09:00,XEM,JPY,1,1000000")
    bring(known_cases.home, "market_trades", rows)
    window = "from = 2018-01-26T12:09:00+09:00, to = 2018-01-27T23:00:00+09:00"
    price = f'how = "vwap", {window}, sources = ["zaif"], decimals = 3, rounding = "half_up"'
    at = 'who = "holders"\nasset = "XEM"\nat = 2018-01-26T23:59:59+09:00'
    plan = known_cases.plan(affected=at, parts=YEN.format(price=price))
    [leg] = plan.legs
    assert leg.told.price is not None
    assert leg.told.price.value == Decimal("88.549")
    assert value(leg.total) == 523_000_000 * Decimal("88.549") == 46_311_127_000
    assert amounts(plan) == {"a": 89, "b": 46_311_126_911}


def slow(holdings: dict[str, Decimal], worth: Fraction, total: int) -> dict[str, int]:
    exact = {account: Fraction(held) * worth for account, held in sorted(holdings.items())}
    whole = {account: share.numerator // share.denominator for account, share in exact.items()}
    order = sorted(exact, key=lambda account: (whole[account] - exact[account], account.encode()))
    for account in order[: total - sum(whole.values())]:
        whole[account] += 1
    return whole


def listed(scene: Scene, rows: list[str], header: str = "account_id,quantity") -> dict[str, str]:
    """The parts of a rule for accounts in a file."""
    (scene.folder / "who.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    affected = 'who = "accounts"\nasset = "BTC"\nfile = "who.csv"'
    return {"affected": affected, "shared": 'how = "specific"'}


@pytest.mark.parametrize(
    "most", ["0.000000000000000001", "99.999999999999999999", "12345678901234567890.123456789012345678"]
)
def test_tokens_of_eighteen_decimals_are_paid_to_the_last_digit(scene: Scene, most: str) -> None:
    held = {"a": Decimal(most), "b": Decimal("0.000000000000000003"), "c": Decimal(1)}
    rows = [f"{account},{quantity:f}" for account, quantity in held.items()]
    plan = scene.plan("fine", **listed(scene, rows), parts=IN_KIND.replace("8", "18"), order='["own"]')
    assert amounts(plan, "BTC") == held
    assert value(plan.held) == EXACT.add(EXACT.add(held["a"], held["b"]), held["c"])
    for account, quantity in held.items():
        assert derivation(scene.home, plan, account)[0].value == quantity


def test_a_total_that_does_not_fit_its_column_is_refused(scene: Scene) -> None:
    rows = listed(scene, ["a,99999999999999999999"])
    with pytest.raises(BadInput, match="does not fit"):
        scene.plan("large", **rows, parts=at_price("10000000000"))


def test_the_file_s_order_does_not_matter_and_amounts_are_those_of_the_slow_worker(scene: Scene) -> None:
    chance = random.Random(7)  # noqa: S311
    ids = ["c1", "c2", "c3", "c4", "c5", *LISTED]
    held = {one: Decimal(chance.randrange(1, 10**12)).scaleb(-18) for one in ids}
    rows = [f'"{account}",{quantity:f}' for account, quantity in held.items()]
    parts = {"parts": at_price("8854900000.7"), "order": '["own"]'}
    first = scene.plan(**listed(scene, rows), **parts)
    chance.shuffle(rows)
    second = scene.plan("shuffled", **listed(scene, rows), **parts)
    worth = Fraction("8854900000.7")
    assert amounts(first) == slow(held, worth, int(value(first.legs[0].total)))
    assert amounts(second) == amounts(first)
    assert first.legs[0].chunks == second.legs[0].chunks
    for account in ("B", "利用者", "A,B", "c17", "c255"):
        assert derivation(scene.home, first, account)[0].value == amounts(first)[account]


def test_an_amount_opens_down_to_holding_price_and_the_unit_more(scene: Scene) -> None:
    plan = scene.plan(parts=at_price("3333333"))
    for account, amount in amounts(plan).items():
        [figure] = derivation(scene.home, plan, account)
        assert figure.value == amount
        assert {"holding", "price"} <= {
            "holding" if f"held by {account}" in part.name.en else "price" if "price" in part.name.en else ""
            for part in figure.walk()
        }
        down, more = figure.inputs
        assert (down.op, more.value in (0, 1)) == ("round(0, down)", True)
    with pytest.raises(BadInput, match="does not concern nobody"):
        derivation(scene.home, plan, "nobody")


def test_a_chunk_s_digest_is_of_its_accounts_and_amounts_in_order(scene: Scene) -> None:
    plan = make(scene.cast.books, INCIDENT, "chunked", scene.rule(parts=IN_KIND), TODAY, nothing, size=3)
    [leg] = plan.legs
    assert (leg.size, len(leg.chunks)) == (3, 2)
    with duckdb.connect() as engine:
        accounts, literal = chunk_columns(engine, plan.entitlements, "BTC", 1, 3)
        assert literal == "{1.5,0.25000001,3}"
        assert digest_of(chunk_says("BTC", 1, 1, 3, accounts), literal) == leg.chunks[0]
        with pytest.raises(PositionProblem, match="not whole"):
            chunk_columns(engine, plan.entitlements, "BTC", 4, 5)


# Whom and when


def test_balances_within_a_day_are_those_of_the_day_before_and_the_changes_until_then(
    founded: Callable[[Path], Cast], tmp_path: Path
) -> None:
    today = [line.replace("2026-03-09", "2026-03-10").replace("1.5", "99") for line in BALANCES]
    late = built(founded(tmp_path / "home"), tmp_path, [*BALANCES, *today])
    changes = [
        "2026-03-10T02:59:59Z,c1,BTC,2", "2026-03-10T03:00:00Z,c2,BTC,1", "2026-03-10T03:00:01Z,c3,BTC,50", "2026-03-10T01:00:00Z,c9,BTC,0.5",
    ]  # fmt: skip
    bring(late.home, "balance_changes", changes)
    assert {a: v for a, v in amounts(late.plan(parts=IN_KIND), "BTC").items() if v >= 1 or a == "c9"} == {
        "c1": 2, "c2": 1, "c3": 3, "c9": Decimal("0.5"),
    }  # fmt: skip
    at_the_end = 'who = "holders"\nasset = "BTC"\nat = 2026-03-10T23:59:59+09:00'
    assert amounts(late.plan(parts=IN_KIND, affected=at_the_end), "BTC")["c1"] == 99


def test_what_customers_held_before_anything_is_known_refuses_the_plan(scene: Scene) -> None:
    with pytest.raises(BadInput, match="what customers held at"):
        scene.plan(affected='who = "holders"\nasset = "BTC"\nat = 2026-03-09T12:00:00+09:00')
    with pytest.raises(BadInput, match="nobody is affected: there is no XEM held by customers at 2026-03-10"):
        scene.plan(affected='who = "holders"\nasset = "XEM"\nat = 2026-03-10T12:00:00+09:00')


def test_old_balances_are_used_with_a_warning(scene: Scene) -> None:
    plan = scene.plan(affected='who = "holders"\nasset = "BTC"\nat = 2026-03-15T12:00:00+09:00')
    assert [finding["code"] for finding in plan.body["findings"]] == ["balances-old"]


@pytest.mark.parametrize(
    ("rows", "header", "what", "row"),
    [
        (["c1,1", "c1,2"], "account_id,quantity", "more than once", 2),
        (["c1,1", ",2"], "account_id,quantity", "no account", 3),
        (["c1,0.0"], "account_id,quantity", "no plain number", 2),
        (["c1,-1"], "account_id,quantity", "no plain number", 2),
        (["c1,1e3"], "account_id,quantity", "no plain number", 2),
        (["c1,1.0000000000000000001"], "account_id,quantity", "no plain number", 2),
        ([" c1,1"], "account_id,quantity", "spaces", 2),
        (["c1,1"], "account,quantity", "its columns are", 0),
        (["c1"], "account_id", "no column quantity", 0),
    ],
)
def test_a_file_of_accounts_is_judged_row_by_row(
    scene: Scene, rows: list[str], header: str, what: str, row: int
) -> None:
    with pytest.raises(BadInput, match=what) as problem:
        scene.plan(**listed(scene, rows, header))
    assert problem.value.where.endswith(f"row {row}" if row else "who.csv")


def test_accounts_that_are_only_named_count_with_their_balances(scene: Scene) -> None:
    parts = listed(scene, ["c3", "c1"], "account_id") | {"shared": 'how = "whole"', "parts": IN_KIND}
    with pytest.raises(BadInput, match="not the time"):
        scene.plan(**parts)
    parts["affected"] += "\nat = 2026-03-10T12:00:00+09:00"
    assert amounts(scene.plan(**parts), "BTC") == {"c1": Decimal("1.5"), "c3": 3}
    listed(scene, ["c3", "c4"], "account_id")
    with pytest.raises(SourceRefused, match="c4 held no BTC"):
        scene.plan(**parts)


def test_accounts_that_no_balance_ever_named_are_refused_with_the_first_and_how_many(scene: Scene) -> None:
    open_accounts(scene.cast, ["customer/JPY/pool/booked"])
    parts = listed(scene, ["c1,1", "booked,1", "999999,1", "c4,1", "nobody,1"])
    with pytest.raises(SourceRefused, match=r"2 of the accounts are no customer's, .*; the first is 999999"):
        scene.plan(**parts)
    assert scene.plan(**listed(scene, ["booked,1"])).people == 1


def test_where_no_balance_is_known_named_accounts_are_taken_with_a_warning(
    founded: Callable[[Path], Cast], tmp_path: Path
) -> None:
    scene = built(founded(tmp_path / "home"), tmp_path, [])
    assert codes(scene.plan(**listed(scene, ["999999,1"]))) == ["accounts-unknown"]


def test_customers_of_a_place_are_those_whom_the_books_have_there(
    founded: Callable[[Path], Cast], tmp_path: Path
) -> None:
    cast = founded(tmp_path / "home")
    there = built(cast, tmp_path)
    open_accounts(cast, ["customer/BTC/pool/c2", "customer/BTC/pool"])
    cast.post(
        "d1",
        "deposit",
        {"outside/BTC/world": "-3", "customer/BTC/pool/c1": "1", "customer/BTC/pool/c2": "2"},
        reference="r",
    )
    where = 'who = "place"\nasset = "BTC"\nplace = "pool"\nat = 2999-01-01T00:00:00Z'
    assert amounts(there.plan(parts=IN_KIND, affected=where), "BTC") == {"c1": 1, "c2": 2}
    cast.post("d2", "deposit", {"outside/BTC/world": "-0.5", "customer/BTC/pool": "0.5"}, reference="r2")
    with pytest.raises(BadInput, match=r"0\.5 BTC at pool are booked for no customer"):
        there.plan(parts=IN_KIND, affected=where)


# Prices


def test_the_last_price_of_the_source_by_then_is_taken(scene: Scene) -> None:
    price = 'how = "last", at = 2026-03-10T12:00:00+09:00, source = "ours"'
    plan = scene.plan(parts=YEN.format(price=price))
    assert value(plan.figure(plan.body["legs"][0]["price"])) == 11_000_000


@pytest.mark.parametrize(
    ("price", "what"),
    [
        ('how = "last", at = 2026-03-10T10:00:00+09:00, source = "ours"', "2026-03-10T10:00:00"),
        ('how = "last", at = 2026-03-20T12:00:00+09:00, source = "ours"', "the 3 days before"),
        ('how = "last", at = 2026-03-10T12:00:00+09:00, source = "zaif"', "'zaif'"),
        ('how = "vwap", from = 2026-03-10T12:00:00Z, to = 2026-03-10T13:00:00Z, sources = ["zaif"], decimals = 3, rounding = "up"', "'zaif'"),
        ('how = "vwap", from = 2026-03-10T12:00:00Z, to = 2026-03-10T13:00:00Z, sources = ["own"], decimals = 3, rounding = "up"', "'own'"),
    ],
)  # fmt: skip
def test_a_missing_price_refuses_the_plan_by_asset_time_and_source(scene: Scene, price: str, what: str) -> None:
    with pytest.raises(BadInput, match="there is no price of BTC in JPY") as problem:
        scene.plan("unpriced", parts=YEN.format(price=price))
    assert what in problem.value.what
    assert "unpriced" not in [plan.name for plan in plans(scene.home, INCIDENT)]


# The digest


def test_the_same_again_gives_the_same_digest_and_one_changed_balance_another(
    founded: Callable[[Path], Cast], tmp_path: Path
) -> None:
    scene = built(founded(tmp_path / "home"), tmp_path)
    first = scene.plan()
    assert scene.plan().digest == first.digest
    assert scene.plan("other").digest != first.digest
    bring(scene.home, "balance_changes", ["2026-03-10T01:00:00Z,c5,BTC,0.00000004"])
    assert scene.plan().digest != first.digest
    assert [plan.name for plan in plans(scene.home, INCIDENT)] == ["other", "p"]
    assert not [path for path in first.folder.parent.iterdir() if path.name.startswith(".")]


def test_files_that_were_altered_are_no_longer_the_plan(scene: Scene) -> None:
    plan = scene.plan("altered")
    assert plan_with(scene.home, INCIDENT, plan.digest).name == "altered"
    check_files(scene.home, plan, nothing)
    document = plan.folder / "plan.json"
    content = json.loads(document.read_text())
    content["plan"]["pays_on"] = "2026-04-06"
    document.write_text(json.dumps(content))
    with pytest.raises(PositionProblem, match="its digest is another"):
        read_plan(scene.home, INCIDENT, "altered")
    with pytest.raises(PositionProblem, match="are not here; not whole are altered"):
        plan_with(scene.home, INCIDENT, plan.digest)
    shutil.rmtree(plan.folder)
    plan = scene.plan("altered2")
    with duckdb.connect() as engine:
        engine.execute(f"CREATE TABLE e AS FROM '{plan.entitlements}'")
        engine.execute('UPDATE e SET "JPY" = CASE number WHEN 1 THEN 15000001 ELSE 2499999 END WHERE number < 3')
        engine.execute(f"COPY e TO '{plan.entitlements}' (FORMAT parquet)")
    with pytest.raises(PositionProblem, match="amounts of JPY are others"):
        check_files(scene.home, plan, nothing)
    with pytest.raises(PositionProblem, match="would be 15000000"):
        derivation(scene.home, plan, "c1")
    with pytest.raises(PositionProblem, match="amounts of JPY"):
        ask(scene.cast.books, scene.cast.cem, plan, "confirmed: yes", "why", nothing)


def test_plans_that_cannot_be_are_refused_by_name(scene: Scene) -> None:
    with pytest.raises(BadInput, match="cannot name a plan"):
        scene.plan("../p")
    with pytest.raises(BooksRefused, match="no incident inc-2"):
        make(scene.cast.books, "inc-2", "p", scene.rule(), TODAY, nothing)
    with pytest.raises(BadInput, match="is past"):
        replace(scene, today=date(2026, 4, 6)).plan()
    with pytest.raises(BadInput, match="there is no plan none"):
        read_plan(scene.home, INCIDENT, "none")


def told(scene: Scene, incident: str, *says: dict[str, object]) -> None:
    """Puts events of another incident on record."""
    for event in (events.opened(scene.cast.books, incident, "hack", OCCURRED, OCCURRED, "again"), *says):
        tell(scene.cast.books, scene.cast.cem, incident, event, "as seen", OCCURRED)


def test_a_closed_incident_has_no_new_plan_until_it_is_opened_again(scene: Scene) -> None:
    told(scene, "shut", events.state("contained"), events.state("closed"))
    with pytest.raises(BadInput, match="shut is closed") as problem:
        make(scene.cast.books, "shut", "p", scene.rule(), TODAY, nothing)
    assert "reopen it first" in problem.value.then
    tell(scene.cast.books, scene.cast.cem, "shut", events.state("opened"), "too early")
    assert make(scene.cast.books, "shut", "p", scene.rule(), TODAY, nothing).people == 4


def test_what_is_set_apart_is_kept_at_a_registered_place(scene: Scene) -> None:
    with pytest.raises(BadInput, match="cold-9, where the claimants' BTC is to be kept, is not registered") as problem:
        scene.plan(parts=IN_KIND, place='BTC = "cold-9"')
    assert "kaede, minato, vault" in problem.value.then


def test_a_plan_that_pays_nothing_is_refused_and_a_part_of_nothing_left_out(scene: Scene) -> None:
    with pytest.raises(BadInput, match=r"pays nothing: its totals, 0\.0000475000004 JPY, round to 0"):
        scene.plan("nil", parts=at_price("0.00001"))
    plan = scene.plan("coins", parts=f"{at_price('0.00001', '0.5')}\n{IN_KIND.replace('1', '0.5', 1)}")
    assert [leg.asset for leg in plan.legs] == ["BTC"]
    assert "part-rounds-to-nothing" in codes(plan)


def test_nothing_is_paid_finer_than_its_coins_can_be_sent(scene: Scene) -> None:
    with pytest.raises(BadInput, match="BTC is paid in 12 decimals, and has 8"):
        scene.plan("finer", parts=IN_KIND.replace("8", "12"))
    contract = {"contract": "0x52908400098527886E0F7030069857D2E4169EE7", "decimals": "12"}
    scene.cast.registered("token", "ethereum:ETH", contract)
    ether = {"affected": 'who = "holders"\nasset = "ETH"\nat = 2026-03-10T12:00:00+09:00', "place": 'ETH = "vault"'}
    for decimals, fits in (("12", True), ("13", False)):
        ether["parts"] = IN_KIND.replace("BTC", "ETH").replace("8", decimals)
        if fits:
            assert scene.plan("ether", **ether).legs[0].decimals == 12
        else:
            with pytest.raises(BadInput, match="ETH is paid in 13 decimals, and has 12"):
                scene.plan("ether", **ether)


def test_a_plan_whose_document_was_cut_short_is_made_again_unless_it_may_be_one_that_was_asked_for(
    founded: Callable[[Path], Cast], tmp_path: Path
) -> None:
    scene = built(founded(tmp_path / "home"), tmp_path)
    plan = scene.plan()

    def cut() -> None:
        document = plan.folder / "plan.json"
        document.write_text(document.read_text()[:99])

    cut()
    with pytest.raises(PositionProblem, match="line 4 is where it stops being JSON") as problem:
        read_plan(scene.home, INCIDENT, "p")
    assert "backup" in problem.value.then
    assert scene.plan().digest == plan.digest
    ask(scene.cast.books, scene.cast.cem, plan, "confirmed: yes", "why", nothing)
    cut()
    with pytest.raises(BadInput, match=f"may be {plan.digest[:12]}, which was asked for by request"):
        scene.plan(parts=at_price("1"))
    assert scene.plan().digest == plan.digest
    check_files(scene.home, read_plan(scene.home, INCIDENT, "p"), nothing)


# Who pays


def lines(plan: Plan) -> list[tuple[str, int, int, int]]:
    """Account or policy, what it has, what it pays and what is unpaid after it, in yen."""

    def yen(digest: str) -> int:
        return int(value(plan.figure(digest)))

    return [
        (line["id"], yen(line["available"]), yen(line["used"]), yen(line["unpaid_after"]))
        for line in plan.body["funding"]["lines"]
    ]


def codes(plan: Plan) -> list[str]:
    return [finding["code"] for finding in plan.body["findings"]]


def test_money_pays_in_the_order_of_the_rule_and_the_booked_reserve_falls_not_below_nothing(scene: Scene) -> None:
    plan = scene.plan()
    assert lines(plan) == [
        ("reserve/JPY/kaede", 20_000_000, 20_000_000, 27_500_000), ("own/JPY/bank", 90_000_000, 27_500_000, 0),
    ]  # fmt: skip
    assert value(plan.figure(plan.body["funding"]["booked"]["falls"])) == 12_000_000
    turned = scene.plan(order='["own", "reserve"]')
    assert [line[0] for line in lines(turned)] == ["own/JPY/bank", "reserve/JPY/kaede"]
    assert value(turned.figure(turned.body["funding"]["booked"]["falls"])) == 0


def test_instalments_fall_on_business_days_and_sum_to_what_was_used(scene: Scene) -> None:
    refill = [(part["on"], part["amount"]) for part in scene.plan().body["replenishment"]]
    plan = scene.plan()
    assert sum(value(plan.figure(amount)) for _, amount in refill) == 20_000_000
    assert [day for day, _ in refill][:3] == ["2026-05-07", "2026-06-03", "2026-07-03"]
    assert scene.plan(order='["own"]').body["replenishment"] == []


def test_what_nobody_pays_is_told_and_cannot_be_asked_for(scene: Scene) -> None:
    plan = scene.plan("short", order='["guarantee", "reserve"]')
    assert not plan.funded
    assert codes(plan) == ["unfunded"]
    with pytest.raises(BadInput, match="has no funding"):
        ask(scene.cast.books, scene.cast.cem, plan, "confirmed: yes", "why", nothing)
    unpaid = side(scene, plan)
    assert (unpaid.paid_on, unpaid.business_days) == (None, None)
    assert unpaid.document()["unpaid"] == {"JPY": "27500000"}


def test_outside_help_that_pays_is_what_the_reserve_exists_to_prevent(scene: Scene) -> None:
    help_ = '[{ account = "outside/JPY/world", amount = "30000000", by = "the parent" }]'
    plan = scene.plan(order='["reserve", "outside"]', outside=help_)
    assert codes(plan) == ["outside-help", "rests-on-a-promise"]
    assert [(by, value(figure)) for by, figure in plan.promised] == [("outside/JPY/world", Decimal(27_500_000))]
    assert plan.funded
    assert codes(scene.plan(order='["reserve", "own", "outside"]', outside=help_)) == []


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        ({"order": '["insurance"]', "insurance": 'none = "advance"'}, "there is no policy none"),
        ({"order": '["guarantee"]'}, ""),
    ],
)
def test_an_account_or_policy_that_is_not_there_is_asked_for_by_name(
    scene: Scene, parts: dict[str, str], what: str
) -> None:
    if what:
        with pytest.raises(BadInput, match=what):
            scene.plan("lacking", **parts)
    else:
        file = scene.rule()
        text = file.read_text().replace('own/JPY/bank"]', 'own/JPY/nowhere"]')
        with pytest.raises(BadInput, match="there is no account own/JPY/nowhere"):
            make(scene.cast.books, INCIDENT, "lacking", scene.written(text), TODAY, nothing)


def test_insurance_pays_by_the_terms_of_its_policy(founded: Callable[[Path], Cast], tmp_path: Path) -> None:
    cast = founded(tmp_path / "home")
    scene = built(cast, tmp_path)
    terms = {
        "insurer": "kaigan", "effective_from": "2025-04-01", "effective_to": "2027-03-31", "causes": "hack|fraud", "storages": "hot|cold",
        "aggregate_jpy": "30000000", "per_event_jpy": "25000000", "deductible_jpy": "1000000",
    }  # fmt: skip
    cast.registered("insurer", "kaigan", {"name": "Kaigan", "jurisdiction": "JP", "licence": "1"})
    cast.registered("policy", "policy-1", terms)
    cast.registered("policy", "cold", terms | {"storages": "cold"})
    cast.registered("policy", "old", terms | {"effective_to": "2026-03-09"})
    cast.registered("policy", "fraud", terms | {"causes": "fraud"})
    others = 'cold = "advance"\nold = "advance"\nfraud = "receivable"'
    order = '["insurance", "reserve", "own"]'
    with pytest.raises(BadInput, match="what becomes of policy policy-1"):
        scene.plan(order=order, insurance=others)
    plan = scene.plan(order=order, insurance=f'policy-1 = "advance"\n{others}')
    used = {code: amount for code, _, amount, _ in lines(plan)}
    assert used == {
        "policy-1": 25_000_000,
        "cold": 0,
        "old": 0,
        "reserve/JPY/kaede": 20_000_000,
        "own/JPY/bank": 2_500_000,
    }
    assert codes(plan) == ["rests-on-a-promise", *["policy-refused"] * 3]
    later = scene.plan("later", order=order, insurance=f'policy-1 = "receivable"\n{others}')
    [expected] = later.body["funding"]["receivable"]
    assert expected["policy"] == "policy-1"
    assert value(later.figure(expected["amount"])) == 25_000_000
    assert "policy-1" not in {code for code, *_ in lines(later)}
    approved(scene, ask(cast.books, cast.cem, plan, "confirmed: yes", "why", nothing))
    with pytest.raises(BadInput, match="paid twice"):
        ask(
            cast.books,
            cast.cem,
            scene.plan("twice", order='["own"]', parts=at_price("1")),
            "confirmed: yes",
            "why",
            nothing,
        )
    again = scene.plan("again", order=order, insurance=f'policy-1 = "advance"\n{others}')
    assert {code: amount for code, _, amount, _ in lines(again)}["policy-1"] == 0


def test_more_than_was_taken_is_told(scene: Scene) -> None:
    rows = listed(scene, ["c1,4.75000005"])
    assert codes(scene.plan("more", **rows, order='["own"]')) == ["more-than-taken"]
    assert codes(scene.plan("just", **listed(scene, ["c1,4.75000004"]), order='["own"]')) == []


# Side by side, and asking


def test_plans_side_by_side_say_who_loses_what(scene: Scene) -> None:
    whole = side(scene, scene.plan("whole"))
    half = side(scene, scene.plan("half", shared='how = "pro_rata"\nlost = "4.75"', parts=at_price("10000000")))
    assert (whole.losers, half.losers) == (0, 4)
    assert half.document()["loses"] == {"asset": "BTC", "quantity": "0.00000004", "worth": "0.4", "people": 4}
    assert whole.business_days == 17  # 20 March is a holiday
    assert whole.document()["payers"] == [
        {"source": "reserve", "asset": "JPY", "pays": "20000000"}, {"source": "own", "asset": "JPY", "pays": "27500000"},
    ]  # fmt: skip
    in_kind = side(scene, scene.plan("kind", parts=IN_KIND))
    assert in_kind.document()["cost"] == "42750000.36"


def test_side_by_side_say_what_was_asked_for_and_what_somebody_must_look_at(
    founded: Callable[[Path], Cast], tmp_path: Path
) -> None:
    cast = founded(tmp_path / "home")
    scene = built(cast, tmp_path)
    help_ = '[{ account = "outside/JPY/world", amount = "30000000", by = "the parent" }]'
    draft = scene.plan("draft", order='["reserve", "outside"]', outside=help_)
    over = scene.plan("over", **listed(scene, ["c1,4.75000005"]), order='["own"]')
    first, second = side_by_side(cast.books, scene.incident(), [draft, over])
    assert first.standing.en == "draft: nobody was asked yet"
    assert first.document()["promised"] == {"outside/JPY/world": "27500000"}
    assert second.document()["warnings"] == ["more-than-taken"]
    number = ask(cast.books, cast.cem, over, "confirmed: yes", "why", nothing)
    assert side(scene, over).standing.en == f"request {number} waits"
    record = approved(scene, number)
    assert side(scene, over).standing.en == f"approved (record {record})"
    assert side(scene, draft).standing == first.standing


def test_an_approved_plan_sets_its_money_apart_and_only_once(founded: Callable[[Path], Cast], tmp_path: Path) -> None:
    cast = founded(tmp_path / "home")
    scene = built(cast, tmp_path)
    plan = scene.plan()
    for permission in ("", "confirmed", "confirmed: ", "maybe: x"):
        with pytest.raises(BadInput, match="not said that the loss may be made good"):
            ask(cast.books, cast.cem, plan, permission, "why", nothing)
    with pytest.raises(BooksRefused, match="only reads"):
        ask(cast.books, cast.dai, plan, "confirmed: yes", "why", nothing)
    number = ask(cast.books, cast.cem, plan, "exempt: 119(1)(xi)", "why", nothing)
    assert ask(cast.books, cast.cem, plan, "exempt: 119(1)(xi)", "why", nothing) == number
    with pytest.raises(BadInput, match="was asked for already"):
        scene.plan(parts=at_price("1"))
    assert scene.plan().digest == plan.digest
    approved(scene, number)
    held = {
        code: balance(cast.books, account_numbers(cast.books, [code])[0])
        for code in (f"claimant/JPY/kaede/{INCIDENT}", "reserve/JPY/kaede", "reserve/JPY/booked", "own/JPY/bank")
    }
    assert list(held.values()) == [47_500_000, 0, 0, 62_500_000]


def test_when_the_money_is_gone_by_the_time_of_approval_nothing_is_set_apart(
    founded: Callable[[Path], Cast], tmp_path: Path
) -> None:
    cast = founded(tmp_path / "home")
    scene = built(cast, tmp_path)
    plan = scene.plan("first")
    number = ask(cast.books, cast.cem, plan, "confirmed: yes", "why", nothing)
    relocation = {"reserve/JPY/kaede": "-1", "reserve/JPY/minato": "1"}
    cast.approved("moved", "relocation", relocation, reference="r")
    with pytest.raises(BooksRefused, match="reserve/JPY/kaede"):
        approved(scene, number)
    assert plans_of(cast.books, INCIDENT) == []
    freeze(cast.books, cast.cem, "own/JPY/bank", "stop")
    third = scene.plan("third")
    assert codes(third) == ["unfunded", "account-frozen"]


def test_what_disputes_were_upheld_for_is_paid_by_one_plan_and_no_other(
    founded: Callable[[Path], Cast], tmp_path: Path
) -> None:
    cast = founded(tmp_path / "home")
    scene = built(cast, tmp_path)
    rule = {"affected": 'who = "disputes"\nasset = "JPY"', "shared": 'how = "specific"'}
    rule |= {"parts": IN_KIND.replace("BTC", "JPY").replace("8", "0"), "order": '["own"]'}
    with pytest.raises(BadInput, match="no dispute over JPY"):
        scene.plan(**rule)
    for account, amount in (("c1", "500"), ("c3", "70"), ("c1", "30")):
        filed = disputes.file(cast.books, cast.cem, INCIDENT, account, "JPY", "more", ["a" * 64], "", "mail")
        says = disputes.decided(
            disputes.dispute_of(cast.books, INCIDENT, filed), disputes.Standing.UPHELD, Decimal(amount)
        )
        approved(scene, ask_to_record(cast.books, cast.cem, "dispute", f"{INCIDENT}:{account}", says, "seen"))
    plan, other = scene.plan("upheld", **rule), scene.plan("also", **rule)
    assert amounts(plan) == {"c1": 530, "c3": 70}
    assert "accounts-unknown" not in codes(plan)
    number = ask(cast.books, cast.cem, plan, "confirmed: yes", "why", nothing)
    with pytest.raises(BadInput, match="paid twice"):
        ask(cast.books, cast.cem, other, "confirmed: yes", "why", nothing)
    approved(scene, number)
    with pytest.raises(BadInput, match="paid twice"):
        ask(cast.books, cast.cem, other, "confirmed: yes", "why", nothing)
    with pytest.raises(BadInput, match="no dispute over JPY"):
        scene.plan("none", **rule)
    filed = disputes.file(cast.books, cast.cem, INCIDENT, "999", "JPY", "more", ["a" * 64], "", "mail")
    says = disputes.decided(disputes.dispute_of(cast.books, INCIDENT, filed), disputes.Standing.UPHELD, Decimal(1))
    approved(scene, ask_to_record(cast.books, cast.cem, "dispute", f"{INCIDENT}:999", says, "seen"))
    assert "accounts-unknown" in codes(scene.plan("stranger", **rule))


def test_coins_of_the_reserve_lower_the_booked_reserve_by_what_they_are_worth(
    founded: Callable[[Path], Cast], tmp_path: Path
) -> None:
    cast = founded(tmp_path / "home")
    scene = built(cast, tmp_path)
    open_accounts(cast, ["reserve/BTC/vault"])
    for key, purpose, entries in (
        ("more", "income", {"outside/BTC/world": "-1.2", "own/BTC/vault": "1.2"}),
        ("kept", "fund", {"own/BTC/vault": "-1.2", "reserve/BTC/vault": "1.2"}),
    ):
        cast.post(key, purpose, entries, reference="r")
    plan = scene.plan(parts=IN_KIND, order='["reserve"]', shared='how = "pro_rata"\nlost = "1.10000005"')
    assert value(plan.figure(plan.body["funding"]["booked"]["falls"])) == 9_900_000
    assert plan.body["replenishment"] == []
