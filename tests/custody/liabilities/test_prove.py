"""Proving a day: the roots are those of the written format, however facts were cut and worked; or nothing is proved."""

from __future__ import annotations

import hashlib
import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from junbikin.custody.liabilities import building, pool, runs, trees
from junbikin.custody.liabilities.kept import STATEMENT, customers_proof, open_kept, proof_named, proofs
from junbikin.custody.liabilities.nonces import nonces
from junbikin.custody.liabilities.proof import fault
from junbikin.custody.liabilities.prove import prove
from junbikin.custody.liabilities.tie import Tie, tie_to
from junbikin.custody.reconcile.run import reconcile
from junbikin.errors import BadInput, FactsDamaged
from junbikin.facts.lake import open_lake
from junbikin.home import Home

from . import slow
from .scene import (
    DAY,
    FEW,
    KEY,
    SECRET,
    Balances,
    add,
    forged,
    home_with,
    proof_for,
    proved,
    statement_in,
    units,
)


def roots(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """The roots that a proof states."""
    return {t.asset: (t.root.digest, t.root.sum, t.root.count) for t in statement_in(folder).totals}


def slow_roots(balances: Balances, home: Home) -> dict[str, tuple[bytes, int, int]]:
    """The roots by the second implementation."""
    owed: dict[str, dict[str, int]] = {}
    for (account, asset), quantity in balances.items():
        owed.setdefault(asset, {})[account] = units(quantity)
    return {
        asset: slow.tree(SECRET, home.operator, str(DAY), asset, accounts)
        for asset, accounts in owed.items() if any(accounts.values())
    }  # fmt: skip


def many(count: int, seed: int = 7) -> Balances:
    """Invented balances of accounts whose ids differ in length."""
    chance = random.Random(seed)  # noqa: S311 - only has to be repeatable
    found = {}
    for number in range(count):
        account = f"{'é' * (number % 3)}a{number}" + "x" * chance.choice([0, 0, 0, 5, 30])
        for asset in chance.sample(["BTC", "ETH", "JPY", "XRP"], chance.randint(1, 3)):
            found[account, asset] = f"{chance.randint(0, 10**6)}.{chance.randint(0, 999_999)}".rstrip("0").rstrip(".")
    return found


def test_the_roots_are_those_of_the_written_format(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    assert roots(proved(home)) == slow_roots(FEW, home)
    assert set(roots(proved(home))) == {"BTC", "JPY"}


def test_many_balances_worked_in_small_pieces_give_the_roots_of_the_written_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    balances = many(1500)
    home = home_with(tmp_path / "home", balances)
    for module, name, value in (
        (building, "SLICE", 700),
        (runs, "RUN", 100),
        (trees, "PIECE", 300),
        (trees, "BLOCK", 7),
        (trees, "FENCED", 64),
    ):
        monkeypatch.setattr(module, name, value)
    folder = proved(home)
    assert roots(folder) == slow_roots(balances, home)
    monkeypatch.setattr("junbikin.custody.liabilities.kept.FENCED", 64)
    kept = open_kept(folder)
    accounts = {account for (account, _), quantity in balances.items() if units(quantity)}
    for account in sorted(accounts)[::50]:
        proof = customers_proof(home, kept, account)
        owed = {asset: units(q) for (name, asset), q in balances.items() if name == account and units(q)}
        assert {balance.asset: balance.units for balance in proof.balances} == owed
        assert fault(proof) is None


def test_worked_by_processes_or_in_this_one_the_roots_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    balances = many(300)
    monkeypatch.setattr(pool, "WORTH_A_PROCESS", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr(building, "SLICE", 200)
    home = home_with(tmp_path / "home", balances)
    assert roots(proved(home)) == slow_roots(balances, home)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9), cuts=st.integers(1, 4))
def test_the_same_facts_give_the_same_roots_in_whatever_order_and_files_they_came(
    tmp_path_factory: pytest.TempPathFactory, seed: int, cuts: int
) -> None:
    folder, items = tmp_path_factory.mktemp("cut"), list(many(40).items())
    random.Random(seed).shuffle(items)  # noqa: S311 - only has to be repeatable
    home = home_with(folder / "home", dict(items[::cuts]))
    for start in range(1, cuts):
        add(home, dict(items[start::cuts]))
    assert roots(proved(home)) == slow_roots(many(40), home)


def test_another_secret_gives_other_roots(tmp_path: Path) -> None:
    one, other = home_with(tmp_path / "one"), home_with(tmp_path / "other", secret=bytes(32))
    assert roots(proved(one))["BTC"][0] != roots(proved(other))["BTC"][0]


def test_the_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    secret = home.keys / "liabilities.secret"
    secret.unlink()
    first = roots(proved(home))
    assert secret.stat().st_mode & 0o777 == 0o600
    assert len(secret.read_bytes()) == 32
    assert roots(proved(home)) == first
    secret.write_bytes(b"short")
    with pytest.raises(BadInput, match="5 bytes"):
        proved(home)


def test_the_same_proved_again_is_the_proof_that_is_there(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    first = proved(home)
    before = {file: file.read_bytes() for file in first.rglob("*") if file.is_file()}
    assert proved(home) == first
    assert {file: file.read_bytes() for file in first.rglob("*") if file.is_file()} == before


def test_other_facts_make_another_proof_beside_the_first(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    first = proved(home)
    add(home, {("dai", "BTC"): "1"})
    second = proved(home)
    assert list(proofs(home, DAY)) == [first, second]
    assert proof_named(home, DAY) == second
    assert proof_named(home, DAY, first.name[:6]) == first
    with pytest.raises(BadInput, match="no proof"):
        proof_named(home, DAY, "nonsense")


def test_balances_of_zero_are_no_leaves(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home", {**FEW, ("ada", "ETH"): "0"})
    assert roots(proved(home))["BTC"][2] == 3
    assert "ETH" not in roots(proved(home))
    with pytest.raises(BadInput, match="the account '田中' is in no tree"):
        proof_for(home, "田中")
    nothing = home_with(tmp_path / "nothing", {("ada", "BTC"): "0"})
    with pytest.raises(BadInput, match="nothing is owed to anybody"):
        proved(nothing)


def test_negative_balances_are_listed_and_nothing_is_proved(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home", many(20))
    forged(home, "UPDATE b SET quantity = -1 - quantity WHERE asset = 'BTC'")
    with pytest.raises(BadInput, match=r"\d+ balances are negative.* BTC -.*; .* BTC -"):
        proved(home)
    assert not list(proofs(home))


def test_two_balances_of_one_account_and_asset_are_found(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    forged(home, "INSERT INTO b FROM b WHERE account_id = 'ada'")
    with pytest.raises(FactsDamaged, match="the account ada has two balances of BTC"):
        proved(home)


def test_leaves_whose_keys_are_equal_have_their_proofs_and_one_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    balances = {(f"a{n}", "BTC"): str(n + 1) for n in range(40)}

    def same(*given: Any) -> Any:
        found = nonces(*given)
        found[:, :8] = 7
        return found

    def same_one(secret: bytes, within: bytes, account: str) -> bytes:
        return bytes([7] * 8) + slow.nonce(secret, within, account)[8:]

    monkeypatch.setattr(runs, "nonces", same)
    monkeypatch.setattr("junbikin.custody.liabilities.kept.nonce", same_one)
    monkeypatch.setattr(runs, "RUN", 8)
    for module in ("trees", "kept"):
        monkeypatch.setattr(f"junbikin.custody.liabilities.{module}.FENCED", 16)
    home, turned = (
        home_with(tmp_path / "home", balances),
        home_with(tmp_path / "turned", dict(reversed(balances.items()))),
    )
    assert roots(proved(home)) == roots(proved(turned))
    assert [proof_for(home, f"a{n}").balances[0].units for n in (0, 17, 39)] == [10**18, 18 * 10**18, 40 * 10**18]


def test_the_largest_balance_that_facts_hold_is_proved_and_a_sum_beyond_is_refused(tmp_path: Path) -> None:
    largest = "99999999999999999999.999999999999999999"
    home = home_with(tmp_path / "home", {("ada", "SHIB"): largest})
    assert proof_for(home, "ada").balances[0].units == 10**38 - 1
    two = home_with(tmp_path / "two", {("ada", "SHIB"): largest, ("ben", "SHIB"): largest})
    with pytest.raises(BadInput, match="10\\^20"):
        proved(two)


def test_a_day_without_balances_is_refused_and_the_nearest_named(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    with pytest.raises(BadInput, match="no customer balances of 2025-04-01") as refusal:
        proved(home, day=DAY.replace(month=4, day=1))
    assert "2025-03-31" in refusal.value.then


def test_facts_that_were_changed_are_not_proved(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    [segment] = open_lake(home).days("customer_balances")[str(DAY)]
    path = home.facts / segment.file
    path.write_bytes(path.read_bytes().replace(b"ada", b"eva"))
    with pytest.raises(FactsDamaged, match="not the file that the log recorded"):
        proved(home)


def test_a_statement_bears_the_digest_of_the_reconciled_position_and_it_is_kept_beside(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    tie = tie_to(reconcile(open_lake(home), DAY))
    folder = proved(home, tie)
    position = (folder / "position.json").read_bytes()
    assert hashlib.sha256(position).hexdigest() == statement_in(folder).position
    stated = {total["asset"]: total["platform"] for total in json.loads(position)["totals"]}
    assert stated == {item["asset"]: item["total"] for item in statement_in(folder).content["assets"]}


@pytest.mark.parametrize(
    ("owed", "said"),
    [
        ({"BTC": "10.24", "JPY": "500"}, "10.25 BTC.*10.24"),
        ({"BTC": "10.25"}, "500 JPY.* 0 are owed"),
        ({"BTC": "10.25", "JPY": "500", "ETH": "1"}, "come to 0 ETH.*says that 1"),
    ],
)
def test_a_total_that_is_not_the_reconciled_one_is_refused_with_both(
    tmp_path: Path, owed: dict[str, str], said: str
) -> None:
    tie = Tie(b"{}", {asset: Decimal(amount) for asset, amount in owed.items()})
    with pytest.raises(BadInput, match=said):
        proved(home_with(tmp_path / "home"), tie)


def test_who_fails_on_the_way_leaves_no_proof_and_the_next_one_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = home_with(tmp_path / "home")
    with monkeypatch.context() as patch:
        patch.setattr("junbikin.custody.liabilities.prove.write_manifest", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            proved(home)
    assert not list(proofs(home))
    (home.path / "proofs" / ".building" / "private").mkdir(parents=True)  # as a killed run leaves it
    (home.path / "proofs" / ".building" / "private" / "keys.bin").write_bytes(b"half")
    assert roots(proved(home)) == slow_roots(FEW, home)
    assert not (home.path / "proofs" / ".building").exists()


def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")

    def again(what: str, share: float) -> None:
        with pytest.raises(BadInput, match="another proof is being made"):
            proved(home)

    assert (prove(open_lake(home), DAY, KEY, None, None, again) / STATEMENT).exists()


def test_a_disk_that_is_too_small_is_told_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = home_with(tmp_path / "home")
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("usage", (), {"free": 10}))
    with pytest.raises(BadInput, match="of disk"):
        proved(home)


def test_what_is_done_is_told_to_the_end(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    prove(open_lake(home_with(tmp_path / "home")), DAY, KEY, None, None, lambda what, share: told.append((what, share)))
    assert [what for what, share in told if share == 1.0] == ["making leaves", "sorting leaves", "building trees"]
