"""The files of a Zarr folder before zarr reads them.

zarr takes what it can't open for a chunk that was never written, and shows zeros: a link to nothing, a folder. It would
wait for a pipe for ever, and its codecs allocate what a chunk says of itself.
"""

from __future__ import annotations

import stat
from typing import Any

from zarr.storage import LocalStore

SLACK = 1 << 16  # checksums and headers of codecs
STANDARD = b"\x28\xb5\x2f\xfd"
METADATA = ("zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata")


class ProvedStore(LocalStore):
    """A folder whose files are proved before they are read; what is absent may be so by the format.

    Attributes
    ----------
    most : int or None
        Bytes of a chunk, once unpacked, where one file holds one chunk.
    blosc : bool
        Whether chunks are packed by Blosc.
    whole : bool
        Whether all chunks were written: one that is absent was lost.
    """

    most: int | None = None
    blosc: bool = False
    whole: bool = False

    def prove_chunks_of(self, array: Any) -> None:
        """Take from an array's metadata how large a chunk is."""
        if getattr(array, "shards", None) is not None:  # a file holds many chunks, and parts of it are read
            return
        self.most = array.dtype.itemsize
        for length in array.chunks:
            self.most *= int(length)
        codecs = [getattr(codec, "codec_id", "") or type(codec).__name__ for codec in array.compressors]
        self.blosc = any(str(name).lower().startswith("blosc") for name in codecs)

    async def get(self, key: str, prototype: Any = None, byte_range: Any = None) -> Any:
        """Read a file, or a part of it."""
        self._prove_file(key)
        return self._proved(key, await super().get(key, prototype, byte_range), byte_range)

    def get_sync(self, key: str, *, prototype: Any = None, byte_range: Any = None) -> Any:
        """Read a file, or a part of it, without waiting for others."""
        self._prove_file(key)
        return self._proved(key, super().get_sync(key, prototype=prototype, byte_range=byte_range), byte_range)

    async def get_partial_values(self, prototype: Any, key_ranges: Any) -> list[Any]:
        """Read parts of files."""
        wanted = list(key_ranges)
        for key, _ in wanted:
            self._prove_file(key)
        return await super().get_partial_values(prototype, wanted)

    def _prove_file(self, key: str) -> None:
        path = self.root / key
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            if path.is_symlink():
                raise ValueError(f"{key} is a link to nothing") from None
            return
        if not stat.S_ISREG(mode):
            raise ValueError(f"{key} is no regular file")

    def _proved(self, key: str, found: Any, byte_range: Any) -> Any:
        if key.rpartition("/")[2] in METADATA:
            return found
        if found is None and self.whole:
            raise ValueError(f"{key} is missing")
        if found is None or byte_range is not None or self.most is None:
            return found
        start = bytes(found.as_numpy_array()[:18].tobytes())
        unpacked = blosc_size(start) if self.blosc else zstandard_size(start)
        if max(len(found), unpacked) > self.most + self.most // 8 + SLACK:
            raise ValueError(f"{key} holds more than the {self.most:,} bytes of a chunk")
        return found


def zstandard_size(start: bytes) -> int:
    """Give the bytes that a Zstandard frame says it unpacks to, 0 where it is none or does not say."""
    if start[:4] != STANDARD or len(start) < 5:
        return 0
    flags = start[4]
    single = flags >> 5 & 1
    at = 5 + (not single) + (0, 1, 2, 4)[flags & 3]
    length = (single, 2, 4, 8)[flags >> 6]
    return int.from_bytes(start[at : at + length], "little") + (256 if length == 2 else 0)


def blosc_size(start: bytes) -> int:
    """Give the bytes that a Blosc chunk says it unpacks to."""
    return int.from_bytes(start[4:8], "little")
