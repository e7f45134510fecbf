import { join, resolve } from "node:path";

/** Environment variables by name. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Values that grow by every expansion would never settle; BentoML hangs on them, we stop. */
const MAX_EXPANSIONS = 32;

/**
 * The absolute path of the store: `BENTOML_HOME` with `$NAME`, `${NAME}` and a leading `~` expanded until nothing
 * changes, else `<homedir>/bentoml`. Unknown variables and `~otheruser` stay as they are; nothing is created.
 * @see bentoml 1.4.39 _internal/configuration/__init__.py expand_env_var
 */
export function resolveHome(env: Variables, homedir: string): string {
  return resolve(expandPath(env["BENTOML_HOME"] || join(homedir, "bentoml"), env, homedir));
}

/** A path with `$NAME`, `${NAME}` and a leading `~` expanded until nothing changes; it may still be relative. */
export function expandPath(path: string, env: Variables, homedir: string): string {
  let reached = path;
  for (let i = 0; i < MAX_EXPANSIONS; i++) {
    const expanded = expandUser(expandVariables(reached, env), homedir);
    if (expanded === reached) break;
    reached = expanded;
  }
  return reached;
}

function expandVariables(text: string, env: Variables): string {
  return text.replace(/\$(\w+|\{[^}]*\})/g, (whole, name: string) => {
    return env[name.startsWith("{") ? name.slice(1, -1) : name] ?? whole;
  });
}

function expandUser(path: string, homedir: string): string {
  return path === "~" || path.startsWith("~/") ? homedir.replace(/\/+$/, "") + path.slice(1) || "/" : path;
}
