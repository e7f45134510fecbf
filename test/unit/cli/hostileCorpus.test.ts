import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type CliAnswer, type CliKit, openCliKit } from "../../fixtures/cliKit";
import { type CliFacts, CliProbe } from "../../fixtures/cliProbe";
import { assertQuiet, HostileArea, type HostileOutcome } from "../../fixtures/hostileArea";
import {
  CORPUS_BOUNDS,
  corpus,
  type HostileCase,
  type HostileImport,
  importsOf,
  tagOf,
} from "../../fixtures/hostileCorpus";
import { assertJudged } from "../../fixtures/hostileReasons";
import { watchEventLoop } from "../../host/eventLoop";
import { tempFolder } from "../store/storeKit";

/** How long whoever starts the command may be held at a stretch. */
const MAX_BLOCKED_MS = 50;
/** A slow answer counts when it comes every time: other programs of the machine hold things up as well. */
const ATTEMPTS = 3;

const { path: folder, remove } = tempFolder();
const probe = new CliProbe(folder);
let kit: CliKit;
before(async () => {
  kit = await openCliKit();
});
after(() => {
  kit.dispose();
  remove();
});

/** `modelbench ...args -o json` on the area's store, as a user stands in it. */
async function run(
  { home, work, user, temporary }: HostileArea,
  ...args: string[]
): Promise<CliAnswer & { readonly facts: CliFacts }> {
  const { env, facts } = probe.next();
  const area = { BENTOML_HOME: home, HOME: user, TMPDIR: temporary };
  const answer = await kit.run(args, { cwd: work, env: { ...area, ...env } });
  return { ...answer, facts: facts() };
}

function outcomeOf({ code, stdout, stderr }: CliAnswer): HostileOutcome {
  // JSON writes controls out; what else a terminal would obey has to be gone from the texts themselves.
  assert.doesNotMatch(stdout + stderr, /[^\P{Cc}\n]/u);
  const { error, warnings = [] } = stderr === "" ? {} : JSON.parse(stderr);
  assert.equal(code, error === undefined ? 0 : 1, stderr);
  const said = warnings.map(({ message }: { message: string }) => message);
  return error === undefined ? { tag: JSON.parse(stdout)[0].tag, said } : { error, said };
}

async function importOnce(hostile: HostileCase, judged: HostileImport) {
  const area = new HostileArea(folder, judged.fileName, judged.bytes);
  const loop = watchEventLoop();
  try {
    const answer = await run(area, "import", "-o", "json", "--", area.source);
    const blockedMs = loop.longestMs();
    const outcome = outcomeOf(answer);
    area.assertUnharmed(outcome, hostile.watch);
    const { unchanged, peakBytes, seconds, writtenBytes } = answer.facts;
    assert.ok(unchanged, "Object.prototype has other keys than before");
    assert.ok(peakBytes <= CORPUS_BOUNDS.residentBytes, `${peakBytes} bytes of memory`);
    assert.ok(writtenBytes <= CORPUS_BOUNDS.writtenBytes, `${writtenBytes} bytes were written`);
    assertJudged(judged, outcome);
    return { seconds, blockedMs };
  } finally {
    loop.stop();
    area.remove();
  }
}

for (const hostile of corpus()) {
  for (const judged of importsOf(hostile)) {
    test(`${hostile.id} as ${judged.fileName} is handled as told by modelbench import`, async () => {
      const costs = [];
      while (costs.length < ATTEMPTS) {
        const cost = await importOnce(hostile, judged);
        costs.push(cost);
        if (cost.seconds <= hostile.seconds && cost.blockedMs <= MAX_BLOCKED_MS) return;
      }
      assert.fail(`too slow, or its caller was held: ${JSON.stringify(costs)}`);
    });
  }
}

for (const hostile of corpus().filter(({ group }) => group === "tag")) {
  test(`${hostile.id} is judged alike by modelbench get`, async () => {
    const area = new HostileArea(folder, "unused", Buffer.alloc(0));
    try {
      const outcome = outcomeOf(await run(area, "get", "-o", "json", "--", tagOf(hostile)));
      const codes = {
        accept: /^model\.notFound$/,
        reject: /^tag\.invalid$/,
        either: /^(model\.notFound|tag\.invalid)$/,
      };
      assert.match(outcome.error?.code ?? "", codes[hostile.verdict === "inspect" ? "either" : hostile.verdict]);
      assertQuiet(outcome.error?.message ?? "");
      area.assertUnharmed(outcome, hostile.watch);
    } finally {
      area.remove();
    }
  });
}
