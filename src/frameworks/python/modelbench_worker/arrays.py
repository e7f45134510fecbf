"""Arrays of numpy and of what turns into it (jax, torch, scipy, pandas columns): bodies to arrays and back."""

from __future__ import annotations

import sys
from typing import Any

from .failures import WorkerError, missing
from .frames import Body, ITEM_SIZES, MAX_FRAME_BYTES, decode_texts, element_count, encode_texts

# numpy itself has the others.
SMALL_TYPES = frozenset(
    name
    for name in ITEM_SIZES
    if name.startswith(("bfloat", "float8_", "float6_", "float4_")) or name.endswith(("int1", "int2", "int4"))
)


def to_array(body: Body) -> Any:
    """A numpy array over the body's own memory: writable, nothing copied but texts, which are of numpy's `U`.

    Raises WorkerError `python.missing` without numpy, or without ml_dtypes for its types; BadFrame for broken texts.
    """
    try:
        import numpy
    except ModuleNotFoundError:
        raise missing("numpy", "An array needs numpy, which") from None
    if body.dtype == "string":
        texts = decode_texts(body)
        # A text that ends in NUL would lose it. What is missing is NaN, as in a column that pandas read from a file.
        is_object = any(text is None or text.endswith("\0") for text in texts)
        values = [numpy.nan if text is None else text for text in texts]
        return numpy.array(values, dtype=object if is_object else numpy.str_).reshape(body.shape)
    dtype = small_dtype(body.dtype) if body.dtype in SMALL_TYPES else numpy.dtype(body.dtype).newbyteorder("<")
    if 0 in body.shape:
        return numpy.empty(body.shape, dtype)
    return numpy.frombuffer(body.data, dtype).reshape(body.shape)


def small_dtype(name: str) -> Any:
    """The dtype of that name of ml_dtypes. Raises WorkerError `python.missing`."""
    try:
        import ml_dtypes
        import numpy
    except ModuleNotFoundError:
        raise missing("ml_dtypes", f"The type {name} needs ml_dtypes, which") from None
    if not hasattr(ml_dtypes, name):
        raise missing("-U ml_dtypes", f"The type {name} needs a newer ml_dtypes, which")
    return numpy.dtype(getattr(ml_dtypes, name))


def is_numpy_scalar(value: Any) -> bool:
    """Whether a value is a scalar of numpy's, which is a number of Python's too in some cases."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, getattr(numpy, "generic", ()))


def is_array(value: Any) -> bool:
    """Whether a value is an array of any of the libraries here: numpy, jax, torch, scipy, a pandas Series."""
    if isinstance(value, type) or is_numpy_scalar(value):
        return False
    if is_torch(value) or is_scipy_sparse(value):
        return True
    return hasattr(value, "__array__") and hasattr(value, "dtype") and hasattr(value, "shape")


def is_torch(value: Any) -> bool:
    """Whether a value is a tensor of torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, getattr(torch, "Tensor", ()))


def is_scipy_sparse(value: Any) -> bool:
    """Whether a value is a sparse matrix or array of scipy."""
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and hasattr(sparse, "issparse") and sparse.issparse(value)


def from_array(value: Any, where: str) -> Body:
    """The body of an array or numpy scalar, dense, C-order, little-endian. `where` names it in a failure.

    Raises WorkerError `run.failed` for elements that have no form outside Python.
    """
    import numpy

    array = to_numpy(value, where)
    if array.dtype.kind in "USOT":
        array = resolve_objects(array, where)
        if array.dtype.kind in "USOT":
            return text_body(array, where)
    if array.dtype.byteorder == ">" or (array.dtype.byteorder == "=" and sys.byteorder == "big"):
        array = array.astype(array.dtype.newbyteorder("<"))
    name = array.dtype.name
    if name not in ITEM_SIZES:
        raise cannot_travel(where, name)
    flat = numpy.ascontiguousarray(array).reshape(-1)
    return Body(name, array.shape, flat.view(numpy.uint8))


def from_column(series: Any, where: str) -> Body:
    """The body of a column of a DataFrame, in which texts may be missing. Raises as `from_array`."""
    gone = series.isna()
    if not gone.any() or series.dtype.kind != "O":
        return from_array(series, where)
    items = series.tolist()
    texts = [None if is_gone else item for item, is_gone in zip(items, gone)]
    is_text = all(text is None or isinstance(text, str) for text in texts)
    # Objects that are all NaN are numbers.
    if not is_text or (series.dtype == object and all(isinstance(item, float) for item in items)):
        return from_array(series, where)
    try:
        return Body("string", (len(texts),), encode_texts(texts))
    except UnicodeError:
        raise cannot_travel(where, "object that is no text") from None


def to_numpy(value: Any, where: str) -> Any:
    """An array of any library as numpy's; copied only where that library must. Raises as `from_array`."""
    import numpy

    if is_torch(value):
        return from_torch(value)
    if is_scipy_sparse(value):
        refuse_huge(value, where)
        return value.toarray()
    if isinstance(value, numpy.ma.MaskedArray):
        if numpy.ma.is_masked(value):
            raise WorkerError("run.failed", f"The {where} is a masked array.", "Let the method fill it.")
        return numpy.asarray(value.data)
    refuse_missing(value, where)
    try:
        return numpy.asarray(value)
    except TypeError as error:
        raise WorkerError("run.failed", f"The {where} does not become an array of numpy: {error}") from None


def refuse_huge(sparse: Any, where: str) -> None:
    """Raises WorkerError `run.failed` for what would be too large to send as a dense array, before it takes the memory."""
    size = element_count(sparse.shape) * sparse.dtype.itemsize
    if size > MAX_FRAME_BYTES:
        shape = list(map(int, sparse.shape))
        message = f"The {where} is a sparse array of shape {shape}, too large to send with its zeros: {size} bytes."
        raise WorkerError("run.failed", message, "Send fewer rows at once, or let the method return less.")


def refuse_missing(value: Any, where: str) -> None:
    """Raises WorkerError `run.failed` for missing values of pandas' own types: as floats, integers would be rounded."""
    import numpy

    if not hasattr(value, "isna") or isinstance(value.dtype, numpy.dtype) or getattr(value.dtype, "kind", "O") == "f":
        return
    if value.isna().any():
        raise WorkerError("run.failed", f"The {where} has missing values.", "Let the method fill them.")


def from_torch(tensor: Any) -> Any:
    """A tensor of torch, on any device, as numpy's."""
    torch = sys.modules["torch"]
    dense = tensor.detach().cpu()
    dense = dense.to_dense() if dense.layout is not torch.strided else dense
    dense = dense.resolve_conj().resolve_neg()
    name = str(dense.dtype).partition(".")[2]
    if name not in SMALL_TYPES:
        return dense.numpy()
    bits = torch.int16 if ITEM_SIZES[name] == 2 else torch.uint8
    return dense.contiguous().view(bits).numpy().view(small_dtype(name))


def resolve_objects(array: Any, where: str) -> Any:
    """An array of Python objects that are all numbers as numbers, where that changes none of them; one of texts as it is.

    Raises as `from_array`.
    """
    import numpy

    if array.dtype.kind != "O" or all(isinstance(item, str) for item in array.flat):
        return array
    if all(isinstance(item, (bool, int, float, complex, numpy.generic)) for item in array.flat):
        # A list of nothing but numbers gets the type that numpy gives them.
        numbers = numpy.array(array.reshape(-1).tolist()).reshape(array.shape)
        if numbers.dtype.kind in "biufc" and all(map(is_same_number, numbers.flat, array.flat)):
            return numbers
    others = sorted({type(item).__name__ for item in array.flat})
    raise cannot_travel(where, f"object of {', '.join(others[:5])}")


def is_same_number(number: Any, item: Any) -> bool:
    """Whether numpy's number is the one it was made of; what is true is no number."""
    if isinstance(item, (bool, sys.modules["numpy"].bool_)) != (number.dtype.kind == "b"):
        return False
    # Compared as Python's own, which rounds nothing.
    own, given = number.item(), item.item() if is_numpy_scalar(item) else item
    return own == given or (own != own and given != given)


def text_body(array: Any, where: str) -> Body:
    """The `string` body of an array of texts; numpy's bytes are read as UTF-8. Raises as `from_array`."""
    items = array.reshape(-1).tolist()
    try:
        texts = [item.decode() if isinstance(item, bytes) else item for item in items]
        if all(isinstance(text, str) for text in texts):
            return Body("string", array.shape, encode_texts(texts))
    except UnicodeError:
        pass
    raise cannot_travel(where, f"{array.dtype.name} that is no text")


def cannot_travel(where: str, kind: str) -> WorkerError:
    """The refusal of an array whose elements only Python knows."""
    message = f"The {where} has elements of type {kind}, which have no form outside Python."
    return WorkerError("run.failed", message, "Let the method return numbers, booleans or texts.")
