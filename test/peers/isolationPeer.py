"""Saves with the real BentoML, below FOLDER, a model whose pickle attacks while it is loaded and when it is called.

Prints {folder} after `@@`. What an attack gave is "stopped: <exception>" or what it got hold of. Attacks while loading
are told in FOLDER/plan.json by the test; they are part of the pickle, as a stranger would write them.
"""

import json
import os
import sys
from pathlib import Path

folder = Path(sys.argv[1])
plan = json.loads((folder / "plan.json").read_text())
os.environ.update(BENTOML_HOME=str(folder / "home/bentoml"), BENTOML_DO_NOT_TRACK="True")

import bentoml  # noqa: E402


def attempt(attack, *args):
    try:
        return attack(*args)
    except BaseException as error:  # noqa: BLE001
        return f"stopped: {type(error).__name__}"


def read(path):
    with open(path) as file:
        return file.read()


def listed(path):
    return ",".join(sorted(os.listdir(path)))


def write(path):
    with open(path, "a") as file:
        file.write("hostile")
    return "written"


def make(folder):
    """A file without a name: none is left where nothing keeps it from being made."""
    os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY))
    return "made"


def connect(address):
    import socket

    kind = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(kind) as client:
        client.settimeout(2)
        client.connect(address if isinstance(address, str) else tuple(address))
    return "connected"


def environments():
    """Every variable of every process that can be looked at."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                found += file.read().decode("utf-8", "replace").split("\0")
        except OSError:
            continue
    return "\n".join(found)


def descriptors():
    """Those that are open, but for the one that lists them."""
    with os.scandir("/proc/self/fd") as entries:
        names = [entry.name for entry in entries]
    return [name for name in names if os.path.exists(f"/proc/self/fd/{name}")]


def escalate():
    """Capabilities through a namespace of one's own, and the kernel's settings, which root owns without any."""
    import ctypes

    # Only a process of one thread may ask for it.
    pid = os.fork()
    if pid == 0:
        os._exit(ctypes.CDLL(None).unshare(0x10000000) & 1)
    if os.waitpid(pid, 0)[1] == 0:
        return "a user namespace"
    with open("/proc/sys/kernel/core_pattern", "a"):
        return "the kernel's settings"


def attacks(plan):
    return {
        "ssh": attempt(read, plan["ssh"]),
        "home": attempt(listed, plan["home"]),
        "expanded": attempt(listed, os.path.expanduser("~/.ssh")),
        "store": attempt(write, plan["store"]),
        "model": attempt(write, plan["model"]),
        "private": attempt(write, os.path.join(os.path.dirname(os.getcwd()), "model", "model.yaml")),
        "worker": attempt(make, plan["worker"]),
        "interpreter": attempt(make, plan["interpreter"]),
        "loopback": attempt(connect, plan["loopback"]),
        "socket": attempt(connect, plan["socket"]),
        "environment": plan["secret"] in attempt(environments),
        "descriptors": sorted({os.readlink(f"/proc/self/fd/{fd}").split(":")[0] for fd in descriptors()}),
        "escalate": attempt(escalate),
        "scratch": attempt(write, "/tmp/scratch") + attempt(write, "scratch"),
    }


class Hostile:
    def __init__(self, results):
        self.results = results

    def told(self):
        return self.results

    def outlive(self, mark):
        """Starts a process that belongs to nobody."""
        import subprocess
        import sys

        code = "import os, sys, time\nif os.fork() == 0:\n os.setsid()\n time.sleep(1000)"
        return subprocess.call([sys.executable, "-I", "-c", code, mark])

    def fork(self, count):
        """Forks so often, each a process that ignores what it may; answers how often that worked."""
        import signal
        import time

        for made in range(count):
            try:
                pid = os.fork()
            except OSError:
                return made
            if pid == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                time.sleep(1000)
                os._exit(0)
        return count

    def memory(self, gibibytes):
        """Takes memory until there is none; answers how many gibibytes that were."""
        import mmap

        taken = []
        try:
            while len(taken) < gibibytes:
                taken.append(mmap.mmap(-1, 2**30, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        except (MemoryError, OSError):
            pass
        return len(taken)

    def scratch(self, gibibytes):
        """Fills what may be written."""
        block, written = b"\1" * 2**20, 0
        try:
            with open("/tmp/large", "wb") as file:
                while written < gibibytes * 1024:
                    file.write(block)
                    file.flush()
                    written += 1
        except OSError:
            pass
        os.unlink("/tmp/large")
        return written


def awaken(plan):
    return Hostile(attacks(plan))


class Sleeper:
    """Its pickle calls `awaken`."""

    def __reduce__(self):
        return awaken, (plan,)


methods = {name: {"batchable": False} for name in ["told", "outlive", "fork", "memory", "scratch"]}
bentoml.picklable_model.save_model("hostile", Sleeper(), signatures=methods)
print("@@" + json.dumps({"folder": bentoml.models.get("hostile").path}))
