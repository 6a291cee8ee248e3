"""A rule's file: everything stated is read, nothing is assumed, and what is wrong is told with its place and what to write."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from junbikin.errors import BadInput
from junbikin.figures import Rounding
from junbikin.incidents.plan.rule import Fixed, Help, HoldersAt, ListedIn, Rule, Vwap, read_rule

from .scene import IN_KIND, USUAL, YEN, rule_text


def read(folder: Path, text: str) -> Rule:
    file = folder / "rule.toml"
    file.write_text(text, encoding="utf-8")
    return read_rule(file)


def test_a_whole_rule_is_read_as_it_is_stated(tmp_path: Path) -> None:
    price = 'how = "vwap", from = 2026-03-10T12:00:00+09:00, to = "2026-03-11T12:00:00+09:00", sources = ["zaif", "own"], decimals = 3, rounding = "half_even"'
    outside = '[{ account = "outside/JPY/parent", amount = "5000", by = "a letter" }]'
    found = read(
        tmp_path,
        rule_text(
            parts=YEN.format(price=price), order='["insurance", "outside"]', outside=outside, insurance='policy-1 = "advance"',
            affected='who = "accounts"\nasset = "BTC"\nfile = "who.csv"', shared='how = "specific"',
        ),
    )  # fmt: skip
    assert found.affected == ListedIn("BTC", tmp_path / "who.csv", None)
    [part] = found.parts
    since, until = (datetime(2026, 3, day, 3, tzinfo=UTC) for day in (10, 11))
    assert part.price == Vwap(since, until, ("zaif", "own"), 3, Rounding.HALF_EVEN)
    assert (part.share, part.pays, part.decimals, part.rounding) == (Decimal(1), "JPY", 0, Rounding.HALF_UP)
    assert found.funding.outside == (Help("outside/JPY/parent", Decimal(5000), "a letter"),)
    assert found.funding.insurance == {"policy-1": "advance"}
    assert found.pays_on == date(2026, 4, 3)


def test_a_usual_rule_needs_no_more_than_it_states(tmp_path: Path) -> None:
    found = read(tmp_path, rule_text())
    assert found.affected == HoldersAt("BTC", datetime(2026, 3, 10, 3, tzinfo=UTC))
    assert found.parts[0].price == Fixed(Decimal(10_000_000), "the board")
    assert read(tmp_path, rule_text(parts=IN_KIND)).parts[0].price is None


HALVES = YEN.format(price='how = "fixed", value = "1", source = "s"').replace('"1"', '"0.5"', 1)
BAD: dict[str, tuple[dict[str, str] | str, str, str]] = {
    "not toml": ("title = ", "not TOML", ""),
    "no title": (rule_text().replace("title", "titel"), "unknown key 'titel'", "did you mean 'title'"),
    "nobody": ({"affected": 'asset = "BTC"'}, "who is not stated", "who ="),
    "somebody odd": ({"affected": 'who = "holder"\nasset = "BTC"'}, 'who = "holder" is not possible', "'holders'"),
    "no asset": ({"affected": 'who = "holders"\nat = 2026-03-10T12:00:00Z'}, "asset is not stated", "BTC"),
    "asset no code": ({"affected": 'who = "disputes"\nasset = "b t c"'}, "not possible", "code of an asset"),
    "asset of a column": ({"affected": 'who = "disputes"\nasset = "NUMBER"'}, "not possible", "code of an asset"),
    "no time": ({"affected": 'who = "holders"\nasset = "BTC"'}, "at is not stated", "with its zone"),
    "naive time": ({"affected": 'who = "holders"\nasset = "BTC"\nat = 2026-03-10T12:00:00'}, "at = 2026-03-10T12:00:00 is not possible", "zone"),
    "a day for a time": ({"affected": 'who = "holders"\nasset = "BTC"\nat = 2026-03-10'}, "not possible", "zone"),
    "a file of holders": ({"affected": USUAL["affected"] + '\nfile = "x.csv"'}, "unknown key 'file'", ""),
    "disputes whole": ({"affected": 'who = "disputes"\nasset = "BTC"'}, "specific", "specific"),
    "holders specific": ({"shared": 'how = "specific"'}, "not specific", "pro_rata"),
    "pro rata of nothing": ({"shared": 'how = "pro_rata"'}, "lost is not stated", "lost ="),
    "pro rata of zero": ({"shared": 'how = "pro_rata"\nlost = "0"'}, "not possible", "above 0"),
    "lost as a float": ({"shared": 'how = "pro_rata"\nlost = 1.5'}, "not possible", "in quotes"),
    "lost while whole": ({"shared": 'how = "whole"\nlost = "1"'}, "unknown key 'lost'", ""),
    "no parts": ({"parts": ""}, "parts is not stated", "[[parts]]"),
    "half": ({"parts": HALVES}, "come to 0.5", "exactly 1"),
    "twice the same": ({"parts": HALVES + "\n" + HALVES}, "two parts pay JPY", "one part"),
    "in kind at a price": ({"parts": IN_KIND + '\nprice = { how = "fixed", value = "1", source = "s" }'}, "in kind", "leave"),
    "yen without a price": ({"parts": IN_KIND.replace("BTC", "JPY").replace("8", "0")}, "price is not stated, and JPY for BTC is not in kind", "[parts.price] below the part, or pays"),
    "a price that is none": (rule_text(parts=IN_KIND.replace("BTC", "JPY").replace("8", "0") + "\nprice = 5"), "price = 5 is", "a part [parts.price]"),
    "parts of a yen": ({"parts": YEN.format(price='how = "fixed", value = "1", source = "s"').replace("= 0", "= 2")}, "parts of a yen", "= 0"),
    "too fine": ({"parts": IN_KIND.replace("8", "19")}, "not possible", "0 to 18"),
    "no rounding": ({"parts": IN_KIND.replace('rounding = "half_up"', "")}, "rounding is not stated", "rounding"),
    "odd rounding": ({"parts": IN_KIND.replace("half_up", "halfup")}, "not possible", "'half_up'"),
    "odd price": ({"parts": YEN.format(price='how = "vwop"')}, "not possible", "'vwap'"),
    "fixed by nobody": ({"parts": YEN.format(price='how = "fixed", value = "1"')}, "source is not stated", "source"),
    "value as a float": ({"parts": YEN.format(price='how = "fixed", value = 1.5, source = "s"')}, "not possible", "quotes"),
    "window back": ({"parts": YEN.format(price='how = "vwap", from = 2026-03-10T12:00:00Z, to = 2026-03-10T12:00:00Z, sources = ["a"], decimals = 3, rounding = "up"')}, "ends before", "after from"),
    "no sources": ({"parts": YEN.format(price='how = "vwap", from = 2026-03-10T12:00:00Z, to = 2026-03-10T13:00:00Z, sources = [], decimals = 3, rounding = "up"')}, "not possible", "sources"),
    "odd source of money": ({"order": '["reserve", "lottery"]'}, "'lottery' is no source", "guarantee"),
    "a source twice": ({"order": '["reserve", "reserve"]'}, "named twice", "once"),
    "no place": ({"place": ""}, "JPY is not stated", "JPY ="),
    "a place too many": ({"place": 'JPY = "kaede"\nXEM = "vault"'}, "unknown key 'XEM'", ""),
    "no accounts of own": (rule_text().replace('own = ["own/JPY/bank"]', ""), "own is not stated", "own ="),
    "another's account": (rule_text().replace('["own/JPY/bank"]', '["reserve/JPY/kaede"]'), "no account of own", "own/ASSET/PLACE"),
    "insurance not stated": (rule_text(order='["insurance"]').replace("[funding.insurance]\n", ""), "insurance is not stated", "[funding.insurance]"),
    "insurance odd": ({"order": '["insurance"]', "insurance": 'p = "maybe"'}, "not possible", "advance"),
    "help by nobody": ({"order": '["outside"]', "outside": '[{ account = "outside/JPY/x", amount = "1" }]'}, "by is not stated", "by ="),
    "help from inside": ({"order": '["outside"]', "outside": '[{ account = "own/JPY/x", amount = "1", by = "b" }]'}, "no account of outside", "outside/ASSET"),
    "help left out": (rule_text(order='["outside"]').replace("outside = []\n", ""), "outside is not stated", "outside = []"),
    "help not in order": (rule_text().replace("[funding]\n", "[funding]\noutside = [1]\n"), "when they are in order", "order"),
    "refilled from the reserve": (rule_text().replace('from = "own/JPY/bank"', 'from = "reserve/JPY/kaede"'), "no account of own", "own/"),
    "no instalments": ({"instalments": "0"}, "refills nothing", "1 or more"),
    "refilled too early": (rule_text().replace("2026-05-03", "2026-04-01"), "refilled on 2026-04-01, before it is used on 2026-04-03", "2026-04-03"),
    "paid on a Saturday": ({"on": "2026-04-04"}, "no business day", "2026-04-06"),
    "paid in Golden Week": ({"on": "2026-05-04"}, "no business day", "2026-05-07"),
    "paid at an hour": ({"on": "2026-04-03T09:00:00+09:00"}, "not possible", "a day"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD)
def test_what_is_wrong_is_told_with_its_place_and_what_to_write(fault: str, tmp_path: Path) -> None:
    stated, what, then = BAD[fault]
    with pytest.raises(BadInput) as problem:
        read(tmp_path, stated if isinstance(stated, str) else rule_text(**stated))
    assert what in problem.value.what
    assert then in problem.value.then
    assert "rule.toml" in problem.value.where
    assert problem.value.then


def test_a_file_that_is_not_there_or_not_utf_8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read_rule(tmp_path / "none.toml")
    (tmp_path / "rule.toml").write_bytes(b'title = "\xff"')
    with pytest.raises(BadInput, match="UTF-8"):
        read_rule(tmp_path / "rule.toml")


def test_the_rule_in_the_documentation_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "incident-plans.md").read_text(encoding="utf-8")
    found = read(tmp_path, page.split("```toml\n")[1].split("```")[0])
    assert found.title == "Coincheck's rule"
