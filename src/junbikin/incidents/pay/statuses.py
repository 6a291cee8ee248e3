"""Whether a customer can be paid as they asked, and if not why, and what is to be done."""

from __future__ import annotations

from enum import IntEnum

from junbikin.figures import Name


class Way(IntEnum):
    """By which way a customer asked to be paid, as payout instructions name it."""

    NONE = 0
    BANK = 1
    ACCOUNT = 2
    ADDRESS = 3

    @property
    def word(self) -> str:
        """Its name in instructions."""
        return self.name.lower()


class Status(IntEnum):
    """What became of a customer's newest instruction."""

    OK = 0
    NO_INSTRUCTION = 1
    CONTRADICTORY = 2
    WRONG_WAY = 3
    UNKNOWN_BANK = 4
    UNKNOWN_BRANCH = 5
    WRONG_ACCOUNT_TYPE = 6
    WRONG_ACCOUNT_NUMBER = 7
    NO_NAME = 8
    NAME_NOT_WRITABLE = 9
    NAME_TOO_LONG = 10
    NO_ADDRESS = 11

    @property
    def word(self) -> str:
        """Its name in files and commands."""
        return self.name.lower()

    @property
    def says(self) -> Name:
        """What it means, for people."""
        return _SAYS[self][0]

    @property
    def then(self) -> Name:
        """What is to be done."""
        return _SAYS[self][1]


_ASK = Name("ask the customer for new instructions", "利用者に払出先の再提出を依頼")
_SAYS = {
    Status.OK: (Name("can be paid", "支払可能"), Name("pay", "支払う")),
    Status.NO_INSTRUCTION: (Name("no instructions", "振込先・送付先の届出なし"), Name("ask the customer for instructions", "利用者に払出先の提出を依頼")),
    Status.CONTRADICTORY: (Name("two instructions of the same instant", "同時刻の指図が複数"), _ASK),
    Status.WRONG_WAY: (Name("what is owed cannot be paid by this way", "この方法では払い出せない資産"), _ASK),
    Status.UNKNOWN_BANK: (Name("no such bank", "存在しない金融機関コード"), _ASK),
    Status.UNKNOWN_BRANCH: (Name("the bank has no such branch", "存在しない支店コード"), _ASK),
    Status.WRONG_ACCOUNT_TYPE: (Name("no such type of account", "預金種目の誤り"), _ASK),
    Status.WRONG_ACCOUNT_NUMBER: (Name("no account number of up to 7 digits", "口座番号の誤り"), _ASK),
    Status.NO_NAME: (Name("no name of the payee", "受取人名なし"), _ASK),
    Status.NAME_NOT_WRITABLE: (
        Name("the payee's name has characters that no transfer can have", "受取人名に使用できない文字"),
        Name("ask the customer for the account's name in kana", "口座名義のカナを利用者に確認"),
    ),
    Status.NAME_TOO_LONG: (
        Name("the payee's name is longer than 30 characters, marks counted", "受取人名が30文字（濁点・半濁点を含む）を超える"),
        Name("ask the customer for the name as their bank writes it in transfers", "銀行の振込用の名義を利用者に確認"),
    ),
    Status.NO_ADDRESS: (Name("the address, its network or the asset is missing", "アドレス・ネットワーク・資産の記載なし"), _ASK),
}  # fmt: skip
