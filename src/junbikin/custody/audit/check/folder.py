"""The folder itself: who signed the index, and whether every file is there, unaltered, and no other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from cryptography.exceptions import InvalidSignature

from junbikin.custody.audit.check.result import Checked, Pack, agrees, differs, unchecked
from junbikin.custody.audit.index import FILE, signer_of
from junbikin.errors import BadInput
from junbikin.facts.run import Progress
from junbikin.figures import Name

SIGNATURE = Name("signature of the index", "目次の署名")
FILES = Name("files and their digests", "ファイルと要約値")


def signature(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Whether the key that is demanded signed the index."""
    try:
        signer = signer_of(pack.index, FILE)
    except (InvalidSignature, BadInput):
        yield differs(
            SIGNATURE,
            FILE,
            "the signature does not fit: the index was altered",
            "署名が一致しない：目次は改変されている",
        )
        return
    if signer is None and pack.demanded:
        yield differs(SIGNATURE, FILE, "the index is not signed", "目次に署名がない")
    elif signer is None:
        yield unchecked(
            SIGNATURE, "the index is not signed: nothing says who made the pack", "署名がなく、作成者を確認できない"
        )
    elif not pack.demanded:
        yield unchecked(
            SIGNATURE, f"it fits the key {signer}; whose it is says only a fingerprint that you hold (--signer)",
            f"鍵{signer}と一致。鍵の持ち主は、手元の指紋でのみ確認できる（--signer）", 1,
        )  # fmt: skip
    elif signer != pack.demanded.lower():
        yield differs(SIGNATURE, FILE, f"it was signed by another key: {signer}", f"別の鍵で署名されている：{signer}")
    else:
        yield agrees(SIGNATURE, 1)


def files(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Whether the files are those of the index: nothing more, nothing less, nothing else."""
    listed = pack.digests
    if len(listed) != len(pack.index["files"]):
        yield differs(FILES, FILE, "the index lists a file twice", "目次に同じファイルが二度ある")
        return
    there = {path.relative_to(pack.folder).as_posix(): path for path in pack.folder.rglob("*") if not path.is_dir() or path.is_symlink()}  # fmt: skip
    there.pop(FILE, None)
    for path in sorted(there.keys() | listed.keys()):
        if path not in listed:
            yield differs(
                FILES, path, "the index does not list this file: it was added", "目次にないファイルが加えられている"
            )
            return
        if path not in there:
            yield differs(FILES, path, "the file is missing", "ファイルがない")
            return
        if there[path].is_symlink():
            yield differs(FILES, path, "this is a link and no file", "ファイルではなくリンクである")
            return
    total = sum(path.stat().st_size for path in there.values()) or 1
    done = 0
    for path in sorted(listed):
        with there[path].open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != listed[path]:
            yield differs(
                FILES, path, f"the file was altered: its digest is {found}, and {listed[path]} in the index",
                f"ファイルが改変されている：要約値{found}（目次では{listed[path]}）",
            )  # fmt: skip
            return
        done += there[path].stat().st_size
        progress("files", done / total)
    yield agrees(FILES, len(listed))
