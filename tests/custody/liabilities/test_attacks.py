"""The well-known attacks on proofs of liabilities, tried by an operator who signs what it likes: each succeeds on a naive tree, or
would if a check were missing, and fails here."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from junbikin.custody.liabilities.proof import Proof, fault, proof_of
from junbikin.custody.liabilities.statement import statement_of
from junbikin.custody.liabilities.sums import LIMIT, Node, join, leaf, root

from .liar import ONE, changed, leaf_of, shown, stated, unchecked
from .scene import DAY, FEW, add, home_with, proof_for, proved, statement_in

ADA, BEN = leaf_of("ada", 6 * ONE), leaf_of("ben", 4 * ONE)
HONEST = stated(join(ADA, BEN))


def why(proof: Proof) -> str:
    """Why a proof does not hold. It must not."""
    wrong = fault(proof)
    assert wrong is not None
    assert wrong.ja != wrong.en
    return wrong.en


def test_an_honest_tree_of_the_same_making_holds() -> None:
    assert fault(shown(HONEST, "ada", 6 * ONE, 0, BEN)) is None
    assert fault(shown(HONEST, "ben", 4 * ONE, 1, ADA)) is None


def test_a_negative_sum_cannot_hide_what_is_owed() -> None:
    naive = 6 * ONE + -4 * ONE  # where sums may be negative, one made-up customer brings the total to 2
    assert naive == 2 * ONE
    wrapped = 2**128 - 4 * ONE  # the same number as 16 bytes would hold it
    hidden = Node(b"h" * 32, wrapped, 1)
    statement = stated(unchecked(ADA, hidden))
    assert statement.totals[0].root.sum == 2 * ONE
    assert "beyond the limit" in why(shown(statement, "ada", 6 * ONE, 0, hidden))
    content = shown(HONEST, "ada", 6 * ONE, 0, BEN).content
    content["balances"][0]["path"][0]["amount"] = "-4"
    with pytest.raises(ValueError, match="not a plain amount"):
        proof_of(content)


@pytest.mark.parametrize("large", [LIMIT - 1, LIMIT, 2**128 - 1])
def test_a_sum_that_wraps_round_is_refused(large: int) -> None:
    hidden = Node(b"h" * 32, large, 1)
    top = unchecked(unchecked(ADA, hidden), Node(b"i" * 32, 2**128 - large, 1))
    assert top.sum == 6 * ONE  # in 128 bits, two made-up leaves vanish from the total
    proof = shown(stated(top), "ada", 6 * ONE, 0, hidden, Node(b"i" * 32, 2**128 - large, 1))
    assert "beyond the limit" in why(proof)


def test_one_leaf_cannot_be_shown_to_two_customers() -> None:
    # A leaf that does not bind its account is the same for whoever is owed 6; ours, with all else equal, is not.
    assert leaf_of("ada", 6 * ONE).digest != leaf_of("eva", 6 * ONE).digest
    assert leaf_of("ada", 6 * ONE) == ADA
    eva = shown(HONEST, "eva", 6 * ONE, 0, BEN)  # eva is owed 6 too, and is not in the tree
    assert "does not lead to the root" in why(eva)


def test_one_tree_cannot_be_shown_under_two_names_of_an_asset() -> None:
    twice = replace(HONEST, totals=(HONEST.totals[0], HONEST.totals[0])).signed(_key())
    with pytest.raises(ValueError, match="contradicts itself"):
        statement_of(twice.content)


def test_an_asset_cannot_be_shown_twice_to_one_customer() -> None:
    proof = shown(HONEST, "ada", 6 * ONE, 0, BEN)
    assert "shown twice" in why(replace(proof, balances=proof.balances * 2))


def test_made_up_customers_who_are_owed_nothing_are_seen() -> None:
    """They would make an operator look larger, and give leaves to hand to whoever does not look closely."""
    dummy = leaf_of("nobody", 0)
    assert "owed nothing" in why(shown(stated(join(ADA, dummy)), "ada", 6 * ONE, 0, dummy))
    many = join(join(dummy, dummy), join(dummy, leaf_of("x", 3)))
    top = join(join(join(ADA, BEN), join(BEN, BEN)), many)
    proof = shown(stated(top), "ada", 6 * ONE, 0, BEN, join(BEN, BEN), many)
    assert "owed nothing" in why(proof)
    assert "owed nothing" in why(shown(stated(join(dummy, ADA)), "nobody", 0, 0, ADA))


def test_a_number_of_customers_that_is_not_the_trees_is_seen() -> None:
    for count in (1, 3, 4, 2**40):
        top = Node(join(ADA, BEN).digest, 10 * ONE, count)
        assert "a part was cut off or added" in why(shown(stated(top), "ada", 6 * ONE, 0, BEN))


def test_whoever_is_in_a_part_that_was_left_out_sees_it() -> None:
    """Others do not: it is why all who can should check."""
    cem, dai = leaf_of("cem", ONE), leaf_of("dai", 2 * ONE)
    whole, cut = join(join(ADA, BEN), join(cem, dai)), join(ADA, BEN)
    assert fault(shown(stated(whole), "cem", ONE, 2, dai, join(ADA, BEN))) is None
    assert fault(shown(stated(cut), "ada", 6 * ONE, 0, BEN)) is None
    assert "place is beyond" in why(shown(stated(cut), "cem", ONE, 2, dai, join(ADA, BEN)))
    assert "cut off or added" in why(shown(stated(cut), "cem", ONE, 0, dai, join(ADA, BEN)))
    assert "does not lead" in why(shown(stated(cut), "cem", ONE, 0, BEN))
    lied = Node(whole.digest, cut.sum, whole.count)  # the whole tree, under a total that leaves a part out
    assert "does not lead" in why(shown(stated(lied), "ada", 6 * ONE, 0, BEN, join(cem, dai)))


def test_a_node_cannot_pose_as_a_leaf_nor_a_leaf_as_a_node() -> None:
    cem, dai = leaf_of("cem", ONE), leaf_of("dai", 2 * ONE)
    naive = sha256(ADA.bound + BEN.bound).digest()
    posing = ADA.bound + BEN.bound  # without tags what is under a node could be read as a leaf's own content
    assert naive == sha256(posing).digest()
    within, nonce, rest = posing[:32], posing[32:48], posing[48:]
    units, account = int.from_bytes(rest[:16], "big"), rest[16:].decode("latin-1")
    assert leaf(within, nonce, units % LIMIT, account).digest != join(ADA, BEN).digest
    top = join(join(ADA, BEN), join(cem, dai))
    one_leaf = Node(join(ADA, BEN).digest, 10 * ONE, 1)
    two = stated(Node(top.digest, top.sum, 2))  # the upper half of the tree passed off as all of it
    assert "does not lead" in why(shown(two, "cem", 3 * ONE, 1, one_leaf))


def test_a_last_leaf_is_not_counted_twice_where_their_number_is_odd() -> None:
    """Trees that pair a lone node with itself have one root for two lists of leaves."""
    cem = leaf_of("cem", ONE)

    def pairing(level: list[bytes]) -> bytes:
        while len(level) > 1:
            level = level + level[-1:] * (len(level) % 2)
            level = [sha256(level[i] + level[i + 1]).digest() for i in range(0, len(level), 2)]
        return level[0]

    three, four = [ADA, BEN, cem], [ADA, BEN, cem, cem]
    assert pairing([n.digest for n in three]) == pairing([n.digest for n in four])
    assert root(three) != root(four)
    assert root(three).digest != root(four).digest


def test_sums_of_children_are_each_bound_so_a_total_cannot_be_less_than_they_are() -> None:
    """Where only their sum is bound, each child's customer can be told another split of a total that is too small."""

    def naive(left: tuple[bytes, int], right: tuple[bytes, int]) -> tuple[bytes, int]:
        total = left[1] + right[1]
        return sha256(total.to_bytes(16, "big") + left[0] + right[0]).digest(), total

    ada, ben = (ADA.digest, 6 * ONE), (BEN.digest, 4 * ONE)
    to_ada, to_ben = naive(ada, (BEN.digest, 1 * ONE)), naive((ADA.digest, 3 * ONE), ben)
    assert to_ada == to_ben  # both are satisfied, 10 are owed, 7 are stated
    assert to_ada[1] == 7 * ONE
    ada_told, ben_told = Node(BEN.digest, ONE, 1), Node(ADA.digest, 3 * ONE, 1)
    for top in (join(ADA, ada_told), join(ben_told, BEN), Node(join(ADA, BEN).digest, 7 * ONE, 2)):
        statement = stated(top)
        found = [
            fault(shown(statement, "ada", 6 * ONE, 0, ada_told)),
            fault(shown(statement, "ben", 4 * ONE, 1, ben_told)),
        ]
        assert any(found), "both were satisfied with 7 where 10 are owed"


def test_counts_of_children_are_bound_as_well() -> None:
    """The same trick with the number of customers: the way up has only the counts that follow from place and total."""
    fat = Node(BEN.digest, BEN.sum, 3)
    top = join(ADA, fat)
    assert "cut off or added" in why(shown(stated(top), "ada", 6 * ONE, 0, fat))


def test_yesterdays_tree_signed_as_todays_is_seen(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    folder = proved(home)
    old = proof_for(home, "ben", folder)
    today = changed(old.statement, as_of=DAY.replace(month=4, day=1))
    assert today.fault() is None
    assert "does not lead" in why(replace(old, statement=today))
    add(home, FEW, DAY.replace(day=30))
    other = statement_in(proved(home, day=DAY.replace(day=30)))
    assert "does not lead" in why(replace(old, statement=other))


def test_a_tree_signed_for_another_asset_or_operator_is_seen(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home", {("ada", "BTC"): "6"})
    proof = proof_for(home, "ada")
    [total], [balance] = proof.statement.totals, proof.balances
    renamed = changed(proof.statement, totals=(replace(total, asset="ETH"),))
    assert renamed.fault() is None
    assert "ETH: the way up does not lead" in why(Proof(renamed, "ada", (replace(balance, asset="ETH"),)))
    elsewhere = changed(proof.statement, operator="Another")
    assert elsewhere.fault() is None
    assert "does not lead" in why(replace(proof, statement=elsewhere))
    assert "no such asset" in why(replace(proof, balances=(replace(balance, asset="ETH"),)))


def test_a_statement_that_was_altered_or_signed_by_another_key_is_seen() -> None:
    other = _key(b"another key, also of 32 bytes ..")
    proof = shown(HONEST, "ada", 6 * ONE, 0, BEN)
    for fields in ({"operator": "X"}, {"position": "ab" * 32}, {"checkpoint": "ab" * 32}, {"invented": True}):
        assert "altered" in why(replace(proof, statement=replace(HONEST, **fields)))
    assert "altered" in why(replace(proof, statement=replace(HONEST, public_key=other.public_key().public_bytes_raw())))
    resigned = replace(HONEST, public_key=other.public_key().public_bytes_raw()).signed(other)
    assert fault(replace(proof, statement=resigned)) is None  # nothing in a file tells whose key it ought to be
    wrong = fault(replace(proof, statement=resigned), signer=HONEST.signer)
    assert wrong is not None
    assert resigned.signer in wrong.en


def test_two_statements_of_one_day_are_told_apart_by_the_published_one() -> None:
    small = stated(join(ADA, leaf_of("eva", 1)))
    to_ada = shown(small, "ada", 6 * ONE, 0, leaf_of("eva", 1))
    assert fault(to_ada) is None
    wrong = fault(to_ada, published=HONEST)
    assert wrong is not None
    assert HONEST.digest in wrong.en


def _key(seed: bytes = bytes(range(32))) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)
