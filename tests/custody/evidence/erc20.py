"""A token (EIP-20) in hand-made byte code: whoever deploys it has all of it, and `transfer` moves it."""

from __future__ import annotations

from .nodes import Ethereum

_CODES = {
    "ADD": 0x01, "SUB": 0x03, "EQ": 0x14, "SHR": 0x1C, "CALLER": 0x33, "CALLDATALOAD": 0x35, "CODECOPY": 0x39, "MSTORE": 0x52,
    "SLOAD": 0x54, "SSTORE": 0x55, "JUMPI": 0x57, "DUP1": 0x80, "RETURN": 0xF3,
}  # fmt: skip
_ANSWER = "0x00 MSTORE 0x20 0x00 RETURN"
_RUNTIME = f"""
    0x00 CALLDATALOAD 0xe0 SHR
    DUP1 0x70a08231 EQ @balanceOf JUMPI
    DUP1 0x313ce567 EQ @decimals JUMPI
    0x24 CALLDATALOAD DUP1 CALLER SLOAD SUB CALLER SSTORE
    0x04 CALLDATALOAD SLOAD ADD 0x04 CALLDATALOAD SSTORE
    0x01 {_ANSWER}
    :balanceOf 0x04 CALLDATALOAD SLOAD {_ANSWER}
    :decimals DECIMALS {_ANSWER}
"""
_START = "SUPPLY CALLER SSTORE SIZE DUP1 @code 0x00 CODECOPY 0x00 RETURN"


def _assembled(text: str) -> bytes:
    """Words → code: a number is pushed, `@name` is the place of `:name`, which is where one may jump to."""
    places: dict[str, int] = {}
    code = bytearray()
    for _ in range(2):  # places are known the second time
        code.clear()
        for word in text.split():
            if word.startswith(":"):
                places[word[1:]] = len(code)
                code.append(0x5B)
            elif word.startswith("@"):
                code += bytes([0x60, places.get(word[1:], 0)])
            elif word.startswith("0x"):
                number = bytes.fromhex(word[2:])
                code += bytes([0x5F + len(number)]) + number
            else:
                code.append(_CODES[word])
    return bytes(code)


def deployed(ethereum: Ethereum, supply: int, decimals: int) -> str:
    """The address of a new token of which the first account has everything."""
    runtime = _assembled(_RUNTIME.replace("DECIMALS", f"0x{decimals:02x}"))
    start = _START.replace("SUPPLY", f"0x{supply:064x}").replace("SIZE", f"0x{len(runtime):02x}")
    length = len(_assembled(start.replace("@code", "0x00")))
    code = _assembled(start.replace("@code", f"0x{length:02x}")) + runtime
    contract: str = ethereum.send(data="0x" + code.hex())["contractAddress"]
    return contract


def transfer(ethereum: Ethereum, token: str, to: str, units: int) -> int:
    """Moves some of it to an address; returns the height."""
    data = "0xa9059cbb" + to.removeprefix("0x").lower().rjust(64, "0") + f"{units:064x}"
    receipt = ethereum.send(to=token, data=data)
    assert receipt["status"] == "0x1"
    return int(receipt["blockNumber"], 16)
