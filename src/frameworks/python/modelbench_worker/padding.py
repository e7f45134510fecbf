"""Batches padded to few sizes, so that jax compiles a method for few of them and not for every number of rows."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from .frames import malformed

Arrays = Dict[str, Any]


class Batch(NamedTuple):
    """What is known of a call that carries rows of several requests, or might."""

    in_axis: int
    out_axis: int
    # The most rows that a batch has.
    limit: int


def read_batch(value: Any) -> Optional[Batch]:
    """The `batch` of a run's data, `[in_axis, out_axis, limit]`; None where there is none. Raises BadFrame."""
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 3 or any(type(item) is not int or item < 0 for item in value):
        raise malformed("a batch that is not three whole numbers")
    return Batch(*value)


def padded_size(rows: int, limit: int) -> int:
    """The next power of two, but not beyond the limit where the rows are within it."""
    return max(rows, min(1 << max(rows - 1, 0).bit_length(), limit))


def row_count(arrays: Arrays, axis: int) -> Optional[int]:
    """Rows that all arrays have along an axis; None where one has other ones, or none."""
    counts = {array.shape[axis] if array.ndim > axis else None for array in arrays.values()}
    count = counts.pop() if len(counts) == 1 else None
    return count or None


def pad(arrays: Arrays, axis: int, size: int) -> Arrays:
    """The arrays with their last row repeated, up to that many rows: rows that the method is sure to take."""
    import numpy

    padded: Arrays = {}
    for name, array in arrays.items():
        array = numpy.asarray(array)
        last = numpy.take(array, [-1], axis)
        padded[name] = numpy.concatenate([array, numpy.repeat(last, size - array.shape[axis], axis)], axis)
    return padded


def cut(result: Any, axis: int, rows: int) -> Any:
    """The first rows of every array of a result. By numpy: jax would compile the cut for each number of rows."""
    import jax
    import numpy

    first = (slice(None),) * axis + (slice(rows),)
    return jax.tree_util.tree_map(lambda leaf: numpy.asarray(leaf)[first], result)


def follows(shapes_of: Callable[[Arrays], Any], arrays: Arrays, padded: Arrays, batch: Batch) -> bool:
    """Whether all results have as many rows as they were given, with the padding and without.

    `shapes_of` gives the results' shapes and computes nothing. Where it fails, the call itself shall say so.
    """
    try:
        return all(
            have_rows(shapes_of(given), batch.out_axis, row_count(given, batch.in_axis)) for given in (arrays, padded)
        )
    except Exception:
        return False


def have_rows(result: Any, axis: int, rows: Optional[int]) -> bool:
    """Whether there are arrays in a result, all with that many rows along an axis."""
    import jax

    leaves = jax.tree_util.tree_leaves(result)
    return len(leaves) > 0 and all(leaf.ndim > axis and leaf.shape[axis] == rows for leaf in leaves)


def without_rows(arrays: Arrays, axis: int) -> Tuple[Any, ...]:
    """What is the same for all batches of a kind: names, types and the other dimensions."""
    kinds: List[Any] = []
    for name in sorted(arrays):
        shape = arrays[name].shape
        kinds.append((name, str(arrays[name].dtype), shape[:axis] + shape[axis + 1 :]))
    return tuple(kinds)
