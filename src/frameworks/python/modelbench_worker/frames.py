"""Frames of the process boundary: u32 LE header length, JSON header, raw bodies.

The header is `{v, kind, id, op, data?, error?, bodies: [{dtype, shape, bytes}]}`. A body is C-order and little-endian;
in a `string` body each element is a u32 LE byte length and its UTF-8. In a column of a DataFrame a text may be missing:
its length is MISSING_TEXT, and nothing follows.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from typing import Any, Iterable, List, NamedTuple, Optional, Sequence, Tuple

PROTOCOL_VERSION = 1
MAX_HEADER_BYTES = 1_048_576
MAX_BODIES = 1_024
# Just under the longest Buffer of Node 20, which is on the other side.
MAX_FRAME_BYTES = 4_294_967_295
MAX_SAFE_INTEGER = 2**53 - 1
MAX_RANK = 64
# What one system call takes together.
MAX_VIEWS = 64
MISSING_TEXT = 2**32 - 1
# From here on memory that nobody has cleared is worth asking for.
LARGE_BYTES = 65_536

KINDS = ("request", "result", "error", "progress", "cancel", "event")

# Bytes of one element in memory; types below a byte take a whole one.
ITEM_SIZES = {
    **dict.fromkeys(("bool", "int1", "int2", "int4", "int8", "uint1", "uint2", "uint4", "uint8"), 1),
    **dict.fromkeys(("int16", "uint16", "float16", "bfloat16"), 2),
    **dict.fromkeys(("int32", "uint32", "float32"), 4),
    **dict.fromkeys(("int64", "uint64", "float64", "complex64"), 8),
    "complex128": 16,
    **dict.fromkeys(("float8_e3m4", "float8_e4m3", "float8_e4m3b11fnuz", "float8_e4m3fn", "float8_e4m3fnuz"), 1),
    **dict.fromkeys(("float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu"), 1),
    **dict.fromkeys(("float6_e2m3fn", "float6_e3m2fn", "float4_e2m1fn"), 1),
}


class BadFrame(Exception):
    """Bytes that are no frame of this protocol; nothing more can be read after them."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Body(NamedTuple):
    """A bulk value: name of its dtype, shape outermost first, and a buffer of its bytes."""

    dtype: str
    shape: Tuple[int, ...]
    data: Any


class Frame(NamedTuple):
    """One message; `data` refers to bodies by index. `failure`: why it has none, where memory did not hold them."""

    kind: str
    id: int
    op: str
    data: Any
    bodies: List[Body]
    failure: Optional[MemoryError] = None


class FrameReader:
    """Reads frames from a descriptor; a body is read straight into a buffer of its own."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "rb", buffering=0)

    def read(self) -> Optional[Frame]:
        """The next frame, or None where the stream ends between two frames.

        Raises BadFrame `protocol.version` for another version and `protocol.invalid` for anything malformed.
        """
        prefix = bytearray(4)
        if not self._fill(prefix, may_end=True):
            return None
        (length,) = struct.unpack("<I", prefix)
        if length == 0 or length > MAX_HEADER_BYTES:
            raise malformed(f"a header of {length} bytes")
        header = bytearray(length)
        self._fill(header)
        kind, number, op, data, claims = parse_header(bytes(header))
        bodies: List[Body] = []
        try:
            for claim in claims:
                bodies.append(self._body(*claim))
        except MemoryError as error:
            # Read past, so that this request fails and not all those behind it.
            left = sum(size for _, _, size in claims[len(bodies) :])
            bodies.clear()
            self._skip(left)
            return Frame(kind, number, op, data, [], error)
        return Frame(kind, number, op, data, bodies)

    def _body(self, dtype: str, shape: Tuple[int, ...], size: int) -> Body:
        buffer = allocate(size)
        self._fill(buffer)
        return Body(dtype, shape, buffer)

    def _skip(self, size: int) -> None:
        scratch = memoryview(bytearray(LARGE_BYTES))
        for start in range(0, size, LARGE_BYTES):
            self._fill(scratch[: size - start])

    def _fill(self, buffer: Any, may_end: bool = False) -> bool:
        view = memoryview(buffer)
        filled = 0
        while filled < len(view):
            count = self._file.readinto(view[filled:])
            if not count:
                if may_end and filled == 0:
                    return False
                raise malformed("no end")
            filled += count
        return True


class FrameWriter:
    """Writes frames to a descriptor; bodies leave as they lie in memory, without being joined."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(
        self, kind: str, number: int, op: str, *, data: Any = None, error: Any = None, bodies: Sequence[Body] = ()
    ) -> None:
        """Writes one frame. Raises BadFrame `protocol.invalid`, before a byte is written, beyond the limits."""
        views = [memoryview(body.data) for body in bodies]
        header = {"v": PROTOCOL_VERSION, "kind": kind, "id": number, "op": op}
        if data is not None:
            header["data"] = data
        if error is not None:
            header["error"] = error
        header["bodies"] = [
            {"dtype": body.dtype, "shape": body.shape, "bytes": view.nbytes} for body, view in zip(bodies, views)
        ]
        if len(views) > MAX_BODIES or sum(view.nbytes for view in views) > MAX_FRAME_BYTES:
            raise malformed(f"{len(views)} bodies of {sum(view.nbytes for view in views)} bytes")
        text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
        if len(text) > MAX_HEADER_BYTES:
            raise malformed(f"a header of {len(text)} bytes")
        self._write([memoryview(struct.pack("<I", len(text)) + text), *(view for view in views if view.nbytes)])

    def _write(self, views: List[memoryview]) -> None:
        at = 0
        while at < len(views):
            written = write_some(self._descriptor, views[at : at + MAX_VIEWS])
            while at < len(views) and written >= len(views[at]):
                written -= len(views[at])
                at += 1
            if written:
                views[at] = views[at][written:]


def write_some(descriptor: int, views: List[memoryview]) -> int:
    """Bytes that one system call took of these views."""
    if hasattr(os, "writev"):
        return os.writev(descriptor, views)
    return os.write(descriptor, views[0])


def allocate(size: int) -> Any:
    """A writable buffer of so many bytes; numpy, when it is there, does not clear a large one first."""
    numpy = sys.modules.get("numpy")
    if size < LARGE_BYTES or not hasattr(numpy, "empty"):
        return bytearray(size)
    return numpy.empty(size, numpy.uint8)


def parse_header(text: bytes) -> Tuple[str, int, str, Any, List[Tuple[str, Tuple[int, ...], int]]]:
    """(kind, id, op, data, claims of the bodies). Raises BadFrame."""
    try:
        header = json.loads(text, parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise malformed("a header that is not JSON") from None
    if not isinstance(header, dict):
        raise malformed("a header that is not an object")
    version = header.get("v")
    if version != PROTOCOL_VERSION or isinstance(version, bool):
        raise BadFrame("protocol.version", f"Expected protocol version {PROTOCOL_VERSION}, got {show(version)}.")
    kind, number, op, bodies = (header.get(key) for key in ("kind", "id", "op", "bodies"))
    if kind not in KINDS:
        raise malformed(f"an unknown kind {show(kind)}")
    if not is_count(number):
        raise malformed(f"an id {show(number)}")
    if not isinstance(op, str):
        raise malformed(f"an operation {show(op)}")
    if not isinstance(bodies, list) or len(bodies) > MAX_BODIES:
        raise malformed("bodies that are no list, or too many")
    claims = [check_claim(body, index) for index, body in enumerate(bodies)]
    total = sum(size for _, _, size in claims)
    if total > MAX_FRAME_BYTES:
        raise malformed(f"{total} bytes of bodies, more than {MAX_FRAME_BYTES}")
    return kind, number, op, header.get("data"), claims


def check_claim(body: Any, index: int) -> Tuple[str, Tuple[int, ...], int]:
    """(dtype, shape, bytes) of a body that says them and fits. Raises BadFrame."""
    if not isinstance(body, dict):
        raise malformed(f"body {index} without a description")
    dtype, shape, size = body.get("dtype"), body.get("shape"), body.get("bytes")
    if not isinstance(dtype, str) or (dtype != "string" and dtype not in ITEM_SIZES):
        raise malformed(f"body {index} of unknown dtype {show(dtype)}")
    if not isinstance(shape, list) or len(shape) > MAX_RANK or not all(is_count(dim) for dim in shape):
        raise malformed(f"body {index} of shape {show(shape)}")
    count = element_count(shape)
    fits = size >= 4 * count if dtype == "string" and is_count(size) else size == ITEM_SIZES.get(dtype, 0) * count
    if not is_count(size) or not fits:
        raise malformed(f"body {index}: {dtype} {shape} in {show(size)} bytes")
    return dtype, tuple(shape), size


def decode_texts(body: Body) -> List[Optional[str]]:
    """The texts of a `string` body, None = missing. Raises BadFrame where lengths leave it or do not fill it."""
    data, at, texts = bytes(body.data), 0, []
    for _ in range(element_count(body.shape)):
        start = at + 4
        length = int.from_bytes(data[at:start], "little")
        at = start + (0 if length == MISSING_TEXT else length)
        if at > len(data):
            raise malformed("a text that leaves its body")
        texts.append(None if length == MISSING_TEXT else data[start:at])
    if at != len(data):
        raise malformed("texts that do not fill their body")
    try:
        return [None if text is None else text.decode() for text in texts]
    except UnicodeDecodeError:
        raise malformed("a text that is not UTF-8") from None


def encode_texts(texts: Iterable[Optional[str]]) -> bytes:
    """What a `string` body holds of these texts, None = missing. Raises UnicodeEncodeError for half a surrogate pair."""
    parts = []
    for text in texts:
        part = b"" if text is None else text.encode()
        parts.append(struct.pack("<I", MISSING_TEXT if text is None else len(part)))
        parts.append(part)
    return b"".join(parts)


def element_count(shape: Sequence[int]) -> int:
    """Number of elements of a shape; `()` has one."""
    count = 1
    for dim in shape:
        count *= dim
    return count


def no_constant(name: str) -> None:
    """JSON has no NaN and no infinities, though Python's reader takes them."""
    raise ValueError(name)


def is_count(value: Any) -> bool:
    """Whether a value is an integer that both sides hold exactly, and not negative."""
    return type(value) is int and 0 <= value <= MAX_SAFE_INTEGER


def show(value: Any) -> str:
    """A value in a message, never long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def malformed(what: str) -> BadFrame:
    """The failure for bytes that are no frame."""
    return BadFrame("protocol.invalid", f"A frame on a process boundary has {what}.")
