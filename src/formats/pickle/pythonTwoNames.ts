/**
 * What a module or a name of Python 2 is called in Python 3: `pickle` maps them while it reads protocols 0 to 2.
 * @see CPython 3.11 Lib/_compat_pickle.py
 */
export function nameInPython3(module: string, name: string): readonly [module: string, name: string] {
  const found = NAMES.get(`${module} ${name}`);
  if (found) return found;
  return module === "exceptions" && EXCEPTIONS.has(name) ? ["builtins", name] : [MODULES.get(module) ?? module, name];
}

/** Entries behind commas, each of some words. */
function rows(text: string): string[][] {
  return text.split(",").map((row) => row.trim().split(/\s+/));
}

const MODULES: ReadonlyMap<string, string> = new Map(
  rows(`
__builtin__ builtins, copy_reg copyreg, Queue queue, SocketServer socketserver, ConfigParser configparser,
repr reprlib, tkFileDialog tkinter.filedialog, tkSimpleDialog tkinter.simpledialog,
tkColorChooser tkinter.colorchooser, tkCommonDialog tkinter.commondialog, Dialog tkinter.dialog,
Tkdnd tkinter.dnd, tkFont tkinter.font, tkMessageBox tkinter.messagebox, ScrolledText tkinter.scrolledtext,
Tkconstants tkinter.constants, Tix tkinter.tix, ttk tkinter.ttk, Tkinter tkinter, markupbase _markupbase,
_winreg winreg, thread _thread, dummy_thread _dummy_thread, dbhash dbm.bsd, dumbdbm dbm.dumb, dbm dbm.ndbm,
gdbm dbm.gnu, xmlrpclib xmlrpc.client, SimpleXMLRPCServer xmlrpc.server, httplib http.client,
htmlentitydefs html.entities, HTMLParser html.parser, Cookie http.cookies, cookielib http.cookiejar,
BaseHTTPServer http.server, test.test_support test.support, commands subprocess, urlparse urllib.parse,
robotparser urllib.robotparser, urllib2 urllib.request, anydbm dbm, _abcoll collections.abc, cPickle pickle,
_elementtree xml.etree.ElementTree, FileDialog tkinter.filedialog, SimpleDialog tkinter.simpledialog,
DocXMLRPCServer xmlrpc.server, SimpleHTTPServer http.server, CGIHTTPServer http.server, UserDict collections,
UserList collections, UserString collections, whichdb dbm, StringIO io, cStringIO io
`).map(([old = "", now = ""]) => [old, now]),
);

/** Module and name, and what they are called now: the module, and the name where it is another one. */
const NAMES: ReadonlyMap<string, readonly [module: string, name: string]> = new Map(
  rows(`
__builtin__ xrange builtins range, __builtin__ reduce functools, __builtin__ intern sys,
__builtin__ unichr builtins chr, __builtin__ unicode builtins str, __builtin__ long builtins int,
itertools izip builtins zip, itertools imap builtins map, itertools ifilter builtins filter,
itertools ifilterfalse itertools filterfalse, itertools izip_longest itertools zip_longest,
UserDict IterableUserDict collections UserDict, UserList UserList collections, UserString UserString collections,
whichdb whichdb dbm, _socket fromfd socket, _multiprocessing Connection multiprocessing.connection,
multiprocessing.process Process multiprocessing.context, multiprocessing.forking Popen multiprocessing.popen_fork,
urllib ContentTooShortError urllib.error, urllib getproxies urllib.request, urllib pathname2url urllib.request,
urllib quote_plus urllib.parse, urllib quote urllib.parse, urllib unquote_plus urllib.parse,
urllib unquote urllib.parse, urllib url2pathname urllib.request, urllib urlcleanup urllib.request,
urllib urlencode urllib.parse, urllib urlopen urllib.request, urllib urlretrieve urllib.request,
urllib2 HTTPError urllib.error, urllib2 URLError urllib.error,
multiprocessing AuthenticationError multiprocessing.context,
multiprocessing BufferTooShort multiprocessing.context, multiprocessing ProcessError multiprocessing.context,
multiprocessing TimeoutError multiprocessing.context, __builtin__ basestring builtins str,
exceptions StandardError builtins Exception, UserDict UserDict collections, socket _socketobject socket SocketType
`).map(([module, name = "", inModule = "", as = name]) => [`${module} ${name}`, [inModule, as]]),
);

const EXCEPTIONS: ReadonlySet<string> = new Set(
  `
ArithmeticError AssertionError AttributeError BaseException BufferError BytesWarning DeprecationWarning
EOFError EnvironmentError Exception FloatingPointError FutureWarning GeneratorExit IOError ImportError
ImportWarning IndentationError IndexError KeyError KeyboardInterrupt LookupError MemoryError NameError
NotImplementedError OSError OverflowError PendingDeprecationWarning ReferenceError RuntimeError
RuntimeWarning StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError TypeError
UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning
UserWarning ValueError Warning ZeroDivisionError
`
    .trim()
    .split(/\s+/),
);
