/** The words of a text. */
function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

/** Built in a function, so that a bundle that asks nothing of a list leaves it out. */
export function setOf(list: () => readonly string[]): ReadonlySet<string> {
  return new Set(list());
}

/** Pairs of one module with each of the names. */
export function pairs(module: string, names: string): readonly string[] {
  return words(names).map((name) => `${module} ${name}`);
}

const TORCH_STORAGES = `
DoubleStorage FloatStorage HalfStorage BFloat16Storage LongStorage IntStorage ShortStorage CharStorage ByteStorage
BoolStorage ComplexDoubleStorage ComplexFloatStorage QUInt8Storage QInt8Storage QInt32Storage QUInt4x2Storage
QUInt2x4Storage
`;
const TORCH_DTYPES = `
float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 uint16 uint32 uint64 bool complex32 complex64 complex128
quint8 qint8 qint32 quint4x2 quint2x4 float8_e5m2 float8_e4m3fn float8_e5m2fnuz float8_e4m3fnuz float8_e8m0fnu
float4_e2m1fn_x2 bits8 bits16
`;
/** How the integers of a quantized tensor mean numbers. */
const TORCH_SCHEMES = `
per_tensor_affine per_tensor_symmetric per_channel_affine per_channel_symmetric per_channel_affine_float_qparams
`;
const TORCH_TENSORS = `
DoubleTensor FloatTensor HalfTensor BFloat16Tensor LongTensor IntTensor ShortTensor CharTensor ByteTensor BoolTensor
`;
const TORCH_REBUILDS = `
_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_parameter _rebuild_parameter_with_state
_rebuild_qtensor _rebuild_sparse_tensor _rebuild_meta_tensor_no_storage _rebuild_nested_tensor
_rebuild_wrapper_subclass
`;
const TORCH_JIT = `
build_intlist build_tensorlist build_doublelist build_boollist build_tensor_from_id restore_type_tag
`;

/**
 * The exact `module name` pairs that build data and nothing else. Each group names who vouches for it.
 */
export const ALLOWED: ReadonlySet<string> = /* @__PURE__ */ setOf(() => [
  // pytorch torch/_weights_only_unpickler.py, _get_allowed_globals
  ...pairs("collections", "OrderedDict Counter"),
  ...pairs("_codecs", "encode"),
  ...pairs("builtins", "bytearray set complex"),
  ...pairs("torch", "Tensor Size device UntypedStorage"),
  ...pairs("torch", TORCH_STORAGES),
  ...pairs("torch", TORCH_DTYPES + TORCH_SCHEMES),
  ...pairs("torch", TORCH_TENSORS),
  ...pairs("torch.storage", "UntypedStorage TypedStorage _UntypedStorage _TypedStorage"),
  ...pairs("torch.nn.parameter", "Parameter Buffer"),
  ...pairs("torch._utils", TORCH_REBUILDS),
  ...pairs("torch._tensor", "_rebuild_from_type_v2"),
  ...pairs("torch.serialization", "_get_layout"),
  // pytorch torch/jit/_pickle.py, which TorchScript archives name: each answers with what it is given
  ...pairs("torch.jit._pickle", TORCH_JIT),
  // numpy, what its own arrays, scalars and types reduce to: numpy/_core/multiarray, both places it has lived in
  ...pairs("numpy", "ndarray dtype"),
  ...pairs("numpy._core.multiarray", "_reconstruct scalar"),
  ...pairs("numpy.core.multiarray", "_reconstruct scalar"),
  ...pairs("numpy._core.numeric", "_frombuffer"),
  ...pairs("numpy.core.numeric", "_frombuffer"),
  // Python's containers, which keep what they are given
  ...pairs("collections", "deque defaultdict"),
  // Python's value classes: their constructors take plain values and keep them
  ...pairs("datetime", "date datetime time timedelta timezone"),
  ...pairs("decimal", "Decimal"),
  ...pairs("fractions", "Fraction"),
  ...pairs("uuid", "UUID"),
  ...pairs("builtins", "frozenset range slice"),
]);

/** Modules none of whose names a data file needs: they run, load, open, connect, or reach anything by its name. */
export const DANGEROUS_MODULES: ReadonlySet<string> = /* @__PURE__ */ setOf(() =>
  words(`
os posix nt sys subprocess _posixsubprocess importlib _frozen_importlib _frozen_importlib_external imp runpy pkgutil
pydoc ctypes _ctypes marshal pickle _pickle cPickle shelve code codeop socket _socket pty shutil commands popen2
webbrowser timeit trace profile cProfile pdb bdb doctest unittest site operator _operator functools _functools
numpy.testing numpy.f2py numpy.distutils numpy.ctypeslib numpy.lib.npyio numpy.lib._npyio_impl numpy.lib._datasource numpy._pytesttester
numpy.compat numpy.exec_command
torch.hub torch.jit torch.package torch.distributed torch.multiprocessing torch.utils.cpp_extension torch._inductor
torch._dynamo torch.utils.collect_env torch.utils.bottleneck torch.utils.show_pickle torch.testing torch.fx
torch.utils.data.datapipes torch.utils._config_module torch.utils.hipify torch.library torch.ops
joblib.parallel joblib.memory joblib._memmapping_reducer joblib.externals.loky joblib.numpy_pickle_compat
pip setuptools pkg_resources _distutils_hack wheel pytest _pytest py nose IPython ipykernel pexpect paramiko fabric
invoke plumbum requests urllib3 httpx aiohttp psutil execnet cffi _cffi_backend numba.core.serialize yaml ruamel
jsonpickle srsly.cloudpickle pandas.io.pickle pandas.compat.pickle_compat pandas.core.computation jinja2 mako lib2to3 nltk.data
`),
);

/** Single names of modules that are harmless otherwise. */
export const DANGEROUS_NAMES: ReadonlySet<string> = /* @__PURE__ */ setOf(() => [
  ...pairs("numpy", "load loads save savez savez_compressed savetxt loadtxt genfromtxt fromfile memmap fromregex"),
  ...pairs("typing", "get_type_hints ForwardRef evaluate_forward_ref"),
  ...pairs("dataclasses", "make_dataclass dataclass"),
  ...pairs("numpy.lib.format", "read_array open_memmap"),
  ...pairs("torch.storage", "_load_from_bytes"),
  ...pairs("torch._utils", "_import_dotted_name"),
  ...pairs("numpy.core.memmap", "memmap"),
  ...pairs("numpy._core.memmap", "memmap"),
  ...pairs("torch", "load save compile"),
  ...pairs("torch.serialization", "load save"),
  ...pairs("joblib", "load dump Parallel delayed Memory"),
  ...pairs("joblib.numpy_pickle", "load dump load_temporary_memmap NumpyUnpickler"),
  ...pairs("sklearn.externals.joblib", "load dump"),
  ...pairs("pandas", "read_pickle eval read_hdf"),
  ...pairs("tensorflow", "py_function numpy_function load_op_library"),
  ...pairs("keras.models", "load_model"),
  ...pairs("copyreg", "add_extension remove_extension pickle constructor clear_extension_cache"),
  ...pairs("copyreg", "dispatch_table _extension_registry _inverted_registry _extension_cache"),
]);

/** Names that stand for reaching or running other code in whatever module they are found. */
export const DANGEROUS_ANYWHERE: ReadonlySet<string> = /* @__PURE__ */ setOf(() =>
  words(`
load loads load_url _load_from_bytes _import_dotted_name import_module import_string __import__ eval exec execfile
system popen __builtins__ __dict__ __loader__ __spec__ __globals__ __getattribute__ __subclasses__
`),
);

/** Parts of a module's name that say the same below any other one, as in `six.moves.builtins`. */
export const DANGEROUS_PARTS: ReadonlySet<string> = /* @__PURE__ */ setOf(() =>
  words("os posix nt sys subprocess builtins __builtin__ ctypes importlib marshal runpy pty"),
);

/** Built-in types whose calls only make values. */
export const HARMLESS_BUILTINS: ReadonlySet<string> = /* @__PURE__ */ setOf(() =>
  words(`
object type str bytes int float bool list dict tuple Ellipsis NotImplemented None True False unicode long basestring
xrange
`),
);

/** Top-level modules of Python's own library, those of Python 2 included. */
export const STANDARD_LIBRARY: ReadonlySet<string> = /* @__PURE__ */ setOf(() =>
  words(`
Bastion __future__ _abc _aix_support _ast _asyncio _bisect _blake2 _bootsubprocess _bz2 _codecs _codecs_cn
_codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _collections _collections_abc _compat_pickle
_compression _contextvars _crypt _csv _ctypes _curses _curses_panel _datetime _dbm _decimal _elementtree
_frozen_importlib _frozen_importlib_external _functools _gdbm _hashlib _heapq _imp _interpqueues _interpreters
_io _json _locale _lsprof _lzma _markupbase _md5 _msi _multibytecodec _multiprocessing _opcode _operator
_osx_support _overlapped _pickle _posixshmem _posixsubprocess _py_abc _pydecimal _pyio _pyrepl _queue _random
_scproxy _sha1 _sha256 _sha3 _sha512 _signal _sitebuiltins _socket _sqlite3 _sre _ssl _stat _statistics _string
_strptime _struct _symtable _thread _threading_local _tkinter _tokenize _tracemalloc _typing _uuid _warnings
_weakref _weakrefset _winapi _xxsubinterpreters _zoneinfo abc aifc annotationlib antigravity argparse array ast
asynchat asyncio asyncore atexit audioop base64 bdb binascii bisect bz2 cPickle cProfile cStringIO calendar cgi
cgitb chunk cmath cmd code codecs codeop collections colorsys commands compileall compiler compression
concurrent configparser contextlib contextvars copy copyreg crypt csv ctypes curses dataclasses datetime dbm
decimal difflib dis distutils dl doctest email encodings ensurepip enum errno exceptions faulthandler fcntl
filecmp fileinput fnmatch fractions ftplib functools future_builtins gc genericpath getopt getpass gettext glob
graphlib grp gzip hashlib heapq hmac html http httplib idlelib ihooks imaplib imghdr imp importlib imputil
inspect interpreters io ipaddress itertools json keyword lib2to3 linecache locale logging lzma mailbox mailcap
marshal math md5 mimetools mimetypes mmap modulefinder msilib msvcrt multifile multiprocessing netrc new nis
nntplib nt ntpath nturl2path numbers opcode operator optparse os os2emxpath ossaudiodev pathlib pdb pickle
pickletools pipes pkgutil platform plistlib popen2 poplib posix posixpath pprint profile pstats pty pwd
py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re readline reprlib resource rexec rfc822
rlcompleter runpy sched secrets select selectors sets sha shelve shlex shutil signal site smtpd smtplib sndhdr
socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl stat statistics string stringprep
struct subprocess sunau symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios test textwrap _testcapi _testinternalcapi _testbuffer _testmultiphase _testimportmultiple _testclinic _xxtestfuzz
this thread threading time timeit tkinter token tokenize tomllib trace traceback tracemalloc tty turtle
turtledemo types typing unicodedata unittest urllib urllib2 user uu uuid venv warnings wave weakref webbrowser
winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo
`),
);
