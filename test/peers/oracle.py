"""Answers questions about PyYAML and BentoML, one JSON document a line on stdin, one answer a line on stdout.

A request is {"id", "op", ...arguments}; the answer {"id", "value"} or, when Python raised, {"id", "error"}.
"""
import datetime
import json
import os
import struct
import sys

import yaml


def encode(value, seen):
    """Python value -> tagged JSON; an object with an identity, met again, becomes ["ref", number of its first visit]."""
    if value is None:
        return ["null"]
    if isinstance(value, bool):
        return ["bool", value]
    if isinstance(value, int):
        return ["int", str(value)]
    if isinstance(value, float):
        return ["float", "nan" if value != value else struct.pack(">d", value).hex()]
    if isinstance(value, str):
        return ["str", value]
    if isinstance(value, bytes):
        return ["bytes", value.hex()]
    if id(value) in seen:
        return ["ref", seen[id(value)]]
    seen[id(value)] = len(seen)
    if isinstance(value, datetime.datetime):
        offset = value.utcoffset()
        minutes = None if offset is None else int(offset.total_seconds() // 60)
        fields = [value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond]
        return ["time", fields, minutes]
    if isinstance(value, datetime.date):
        return ["date", [value.year, value.month, value.day]]
    if isinstance(value, (list, tuple)):
        return ["list", [encode(item, seen) for item in value]]
    if isinstance(value, set):
        return ["set", sorted(encode(item, seen) for item in value)]
    return ["map", [[encode(key, seen), encode(item, seen)] for key, item in value.items()]]


def decode(tagged, known):
    """The inverse of encode."""
    kind, *rest = tagged
    if kind == "null":
        return None
    if kind in ("bool", "str"):
        return rest[0]
    if kind == "int":
        return int(rest[0])
    if kind == "float":
        return float("nan") if rest[0] == "nan" else struct.unpack(">d", bytes.fromhex(rest[0]))[0]
    if kind == "bytes":
        return bytes.fromhex(rest[0])
    if kind == "ref":
        return known[rest[0]]
    if kind == "date":
        known.append(datetime.date(*rest[0]))
        return known[-1]
    if kind == "time":
        zone = None if rest[1] is None else datetime.timezone(datetime.timedelta(minutes=rest[1]))
        known.append(datetime.datetime(*rest[0], tzinfo=zone))
        return known[-1]
    if kind == "list":
        items = []
        known.append(items)
        items.extend(decode(item, known) for item in rest[0])
        return items
    mapping = {}
    known.append(mapping)
    for key, item in rest[0]:
        mapping[decode(key, known)] = decode(item, known)
    return mapping


def load(request):
    return encode(yaml.safe_load(request["text"]), {})


def dump(request):
    return yaml.safe_dump(decode(request["value"], []), sort_keys=False)


def tag(request):
    from bentoml import Tag

    parsed = Tag.from_str(request["text"])
    return [parsed.name, parsed.version]


def new_version(_request):
    from bentoml import Tag

    return Tag("m").make_new_version().version


def iso_time(request):
    return encode(datetime.datetime.fromisoformat(request["text"]), {})


def model_info(request):
    """What BentoML makes of a model.yaml: the fields, and the documents that `get -o json` and `-o yaml` print."""
    import io

    from bentoml._internal.models.model import ModelInfo
    from rich.json import JSON

    # The file is opened in text mode, which turns every line break into "\n".
    info = ModelInfo.from_yaml_file(io.StringIO(request["text"].replace("\r\n", "\n").replace("\r", "\n")))
    try:
        printed = JSON(json.dumps(info.to_dict(), indent=2, default=str), highlight=False).text.plain
    except TypeError:  # JSON has no such key: `get -o json` fails while the model itself is fine
        printed = None
    return {
        "tag": str(info.tag),
        "module": info.module,
        "created": encode(info.creation_time, {}),
        "json": printed,
        "yaml": info.dump(),
    }


def command(request):
    """Runs `bentoml <arguments>` in this process; answers its exit code and what it printed. Input is empty if missing."""
    from bentoml._internal.bento import BentoStore
    from bentoml._internal.configuration.containers import BentoMLContainer
    from bentoml._internal.models import ModelStore
    from bentoml_cli.cli import create_bentoml_cli
    from click.testing import CliRunner

    # As the real start of the command does.
    for name in ("models", "bentos"):
        os.makedirs(os.path.join(request["home"], name), exist_ok=True)
    # The stores are made once a process, so that a home alone would count for the first request only.
    chosen = {
        BentoMLContainer.bentoml_home: request["home"],
        BentoMLContainer.model_store: ModelStore(os.path.join(request["home"], "models")),
        BentoMLContainer.bento_store: BentoStore(os.path.join(request["home"], "bentos")),
    }
    for provider, value in chosen.items():
        provider.set(value)
    try:
        result = CliRunner().invoke(create_bentoml_cli(), request["arguments"], input=request.get("input", ""))
    finally:
        for provider in chosen:
            provider.reset()
    failure = "" if result.exception is None else repr(result.exception)
    return {"exit": result.exit_code, "output": result.stdout, "errors": result.stderr + failure}


def terminal(request):
    """Runs a command on a terminal of its own and types when it asks; answers its exit code and what was shown."""
    import pty

    pid, screen = pty.fork()
    if pid == 0:
        os.execve(request["command"][0], request["command"], {**os.environ, **request["env"]})
    shown = b""
    typed = request["typed"].encode()
    while True:
        try:
            chunk = os.read(screen, 65536)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        shown += chunk
        if typed and shown.rstrip().endswith(b"[y/N]:"):
            os.write(screen, typed)
            typed = b""
    os.close(screen)
    return {"exit": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), "output": shown.decode().replace("\r\n", "\n")}


def text_mode(text):
    return text.replace("\r\n", "\n").replace("\r", "\n")


def strict(value):
    """A value as text that tells types apart and shares nothing."""
    if isinstance(value, dict):
        return "{%s}" % ",".join(sorted("%s %r:%s" % (type(k).__name__, k, strict(v)) for k, v in value.items()))
    if isinstance(value, (list, tuple)):
        return "[%s]" % ",".join(strict(item) for item in value)
    return "%s %r" % (type(value).__name__, value)


def key_named(mapping, name):
    """The key that is shown under a name."""
    return name if name in mapping else next((key for key in reversed(mapping) if str(key) == name), name)


def edited(request):
    """Whether `after` is `before` with an edit applied, value for value, and reads in BentoML as asked: the differences."""
    import copy
    import io

    from bentoml._internal.models.model import ModelInfo

    infos = [ModelInfo.from_yaml_file(io.StringIO(text_mode(request[which]))) for which in ("before", "after")]
    wanted, found = (copy.deepcopy(yaml.safe_load(text_mode(request[which]))) for which in ("before", "after"))
    edit = request["edit"]
    problems = []
    for section in ("labels", "metadata"):
        wanted[section], found[section] = dict(wanted[section]), dict(found[section])
        for name in set(edit.get(section, {}).get("remove", [])) - set(edit.get(section, {}).get("set", {})):
            wanted[section] = {k: v for k, v in wanted[section].items() if k != key_named(wanted[section], name)}
        for name, value in edit.get(section, {}).get("set", {}).items():
            value = json.loads(value) if section == "metadata" else value
            wanted[section] = {**wanted[section], key_named(wanted[section], name): value}
    rows = {k: dict(v) for k, v in (wanted.get("signatures") or {}).items()}
    asked_rows = edit.get("signatures", {}).get("set", {})
    for name in set(edit.get("signatures", {}).get("remove", [])) - set(asked_rows):
        rows.pop(key_named(rows, name), None)
    for name, asked in asked_rows.items():
        row = infos[1].signatures[name]
        if (row.batchable, list(row.batch_dim)) != (asked["batchable"], asked["batchDim"]):
            problems.append("%s: %r" % (name, row))
        rows.setdefault(key_named(rows, name), {})
        for each in (rows, found["signatures"]):
            each[key_named(each, name)] = {
                k: v for k, v in each[key_named(each, name)].items() if k not in ("batchable", "batch_dim")
            }
    if rows or "signatures" in found:
        wanted["signatures"] = rows
    if strict(wanted) != strict(found):
        problems.append("wanted %s\nfound %s" % (strict(wanted), strict(found)))
    if infos[0].creation_time != infos[1].creation_time or infos[0].tag != infos[1].tag:
        problems.append("another model")
    return problems


OPERATIONS = {
    "edited": edited,
    "load": load,
    "dump": dump,
    "tag": tag,
    "newVersion": new_version,
    "isoTime": iso_time,
    "modelInfo": model_info,
    "command": command,
    "terminal": terminal,
}


def main():
    # Whatever prints must not end up among the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        answer = {"id": request["id"]}
        try:
            answer["value"] = OPERATIONS[request["op"]](request)
        except Exception as error:  # every refusal is an answer
            answer["error"] = "%s: %s" % (type(error).__name__, error)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


main()
