import { pairs, setOf } from "./names";

/** Modules, each with names of its own. */
const PLAIN = `
collections: ChainMap Counter OrderedDict UserDict UserList UserString defaultdict deque namedtuple
_collections: OrderedDict defaultdict deque
collections.abc: Callable Collection Container Hashable Iterable Iterator Mapping MutableMapping MutableSequence
MutableSet Sequence Set Sized
datetime: date datetime time timedelta timezone tzinfo UTC
_datetime: date datetime time timedelta timezone tzinfo
decimal: Clamped Context ConversionSyntax Decimal DecimalException DecimalTuple DivisionByZero DivisionImpossible
DivisionUndefined FloatOperation Inexact InvalidContext InvalidOperation Overflow Rounded Subnormal
Underflow
_decimal: Context Decimal DecimalTuple
_pydecimal: Context Decimal DecimalTuple
fractions: Fraction
enum: Enum EnumMeta EnumType Flag FlagBoundary IntEnum IntFlag ReprEnum StrEnum auto
array: ArrayType array _array_reconstructor
math: acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist e erf erfc exp exp2
expm1 fabs factorial floor fma fmod frexp fsum gamma gcd hypot inf isclose isfinite isinf isnan isqrt lcm
ldexp lgamma log log10 log1p log2 modf nan nextafter perm pi pow prod radians remainder sin sinh sqrt
sumprod tan tanh tau trunc ulp
cmath: acos acosh asin asinh atan atanh cos cosh exp isclose isfinite isinf isnan log log10 phase polar rect sin
sinh sqrt tan tanh
numbers: Complex Integral Number Rational Real
random: Random SystemRandom betavariate binomialvariate choice choices expovariate gammavariate gauss getrandbits
getstate lognormvariate normalvariate paretovariate randbytes randint random randrange sample seed
setstate shuffle triangular uniform vonmisesvariate weibullvariate
re: Match Pattern RegexFlag compile _compile error escape findall finditer fullmatch match search split sub subn
statistics: LinearRegression NormalDist StatisticsError correlation covariance fmean geometric_mean harmonic_mean
kde kde_random linear_regression mean median median_grouped median_high median_low mode multimode
pstdev pvariance quantiles stdev variance
string: Formatter Template capwords
ipaddress: AddressValueError IPv4Address IPv4Interface IPv4Network IPv6Address IPv6Interface IPv6Network
NetmaskValueError ip_address ip_interface ip_network
zoneinfo: ZoneInfo _unpickle ZoneInfo._unpickle
abc: ABC ABCMeta
time: asctime ctime gmtime localtime mktime monotonic monotonic_ns perf_counter perf_counter_ns process_time
process_time_ns strftime strptime struct_time time time_ns
calendar: Calendar Day HTMLCalendar LocaleHTMLCalendar LocaleTextCalendar Month TextCalendar isleap leapdays month
monthrange timegm weekday
queue: Empty Full LifoQueue PriorityQueue Queue ShutDown SimpleQueue
heapq: heapify heappop heappush heappushpop heapreplace merge nlargest nsmallest
bisect: bisect bisect_left bisect_right insort insort_left insort_right
itertools: accumulate batched chain combinations combinations_with_replacement compress count cycle dropwhile
filterfalse groupby islice pairwise permutations product repeat starmap takewhile tee zip_longest
difflib: Differ HtmlDiff Match SequenceMatcher get_close_matches
textwrap: TextWrapper dedent fill indent shorten wrap
graphlib: CycleError TopologicalSorter
struct: Struct calcsize error pack unpack
typing: Annotated Any Callable ClassVar Collection Container Counter DefaultDict Deque Dict Final FrozenSet
Generic Hashable Iterable Iterator List Literal Mapping MutableMapping MutableSequence MutableSet
NamedTuple NewType Optional OrderedDict ParamSpec Pattern Protocol Sequence Set Sized Tuple Type TypeAlias
TypeVar TypeVarTuple TypedDict Union Unpack
types: SimpleNamespace MappingProxyType NoneType GenericAlias
pathlib: Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath
pathlib._local: Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath
argparse: Namespace
dataclasses: Field _DataclassParams _FIELD_BASE _MISSING_TYPE field
inspect: Parameter Signature _ParameterKind _empty
uuid: SafeUUID
logging: getLogger Logger RootLogger
copyreg: _reconstructor __newobj__ __newobj_ex__ _slotnames
_sre: compile
`;

/**
 * Names of Python's own library whose calls make or compare plain values: what a module defines itself, as Python 3.11
 * lists it, and what newer releases added. A module imports others, so its other names reach further than it does.
 */
export const PLAIN_NAMES: ReadonlySet<string> = /* @__PURE__ */ setOf(() =>
  PLAIN.trim()
    .split(/\n(?=[\w.]+:)/)
    .flatMap((entry) => {
      const [module = "", names = ""] = entry.split(": ");
      return pairs(module, names);
    }),
);
