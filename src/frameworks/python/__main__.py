"""Entry of Modelbench's Python worker: `python -I <this folder> [RLIMIT_NAME=COUNT]...`.

Requests arrive as frames on descriptor 0, answers leave on what descriptor 1 was. Both are moved away before anything
else is imported, so that neither a print nor an `input()` of a model, or of a library it uses, can touch a frame.
"""

import os
import sys


def limit_itself(limits):
    """Bounds what this process and all that it starts may take; each limit is a name of `resource` and a count.

    One that has limits is kept apart: what whoever started it had open is not for it.
    """
    if not limits:
        return
    import resource

    os.closerange(3, os.sysconf("SC_OPEN_MAX"))

    for name, count in (limit.split("=") for limit in limits):
        kind = getattr(resource, name)
        _, most = resource.getrlimit(kind)
        bound = int(count) if most == resource.RLIM_INFINITY else min(int(count), most)
        resource.setrlimit(kind, (bound, bound))


def take_streams():
    """Moves the frames to private descriptors: (requests, answers). What prints from now on goes to the log."""
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    if os.name == "nt":
        import msvcrt

        for descriptor in (requests, answers):
            msvcrt.setmode(descriptor, os.O_BINARY)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    return requests, answers


def main():
    """Serves until the requests end."""
    limit_itself(sys.argv[1:])
    del sys.argv[1:]
    requests, answers = take_streams()
    folder = sys.path[0]
    # The extension's own folder is not ours to write to.
    writes_nothing, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    from modelbench_worker import service

    sys.dont_write_bytecode = writes_nothing
    sys.path.remove(folder)
    service.serve(requests, answers)


if __name__ == "__main__":
    main()
