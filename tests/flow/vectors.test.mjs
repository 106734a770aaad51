// vectors.test.mjs - the decision tables: checked by `gavel explain`, and played over live sockets.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { equal, fail, ok, run, same, show, test } from '../support/harness.mjs';
import { randomVectors } from '../support/random-vectors.mjs';
import { ROOT, Server, gavel, readJson, temporaryFolder } from '../support/server.mjs';
import { EXPLAIN_ONLY, complete, explainOnly, liveConfig, playVector, withKeys } from '../support/vectors.mjs';

const FOLDER = join(ROOT, 'tests/vectors');
const FILES = readdirSync(FOLDER).filter((f) => /-vectors\.json$/.test(f)).sort();
const all = FILES.flatMap((file) => {
  const { defaults, vectors } = readJson(join(FOLDER, file));
  return vectors.map((v) => ({ file, v: complete(v, defaults) }));
});
const live = all.filter(({ v }) => explainOnly(v) === null);

test('the vector files are there', () => same(FILES, ['gavel-vectors.json', 'reader-vectors.json', 'role-vectors.json']));

for (const file of FILES) {
  test(`gavel explain --vectors ${file} --check finds no difference`, () => {
    const r = gavel(['explain', '--vectors', join(FOLDER, file), '--check']);
    equal(r.code, 0, `exit code; output:\n${show(r.out + r.err, 4000)}`);
  });
  test(`gavel explain --vectors ${file} answers each vector once, in order, on a line`, () => {
    const r = gavel(['explain', '--vectors', join(FOLDER, file)]);
    equal(r.code, 0, 'exit code');
    const lines = r.out.trimEnd().split('\n').map((l) => JSON.parse(l));
    same(lines.map((l) => l.id), all.filter((x) => x.file === file).map((x) => x.v.id), 'ids');
    for (const l of lines) ok(l.verdict && typeof l.verdict === 'object', 'each line has a verdict', l);
  });
}

test('every vector is played live, or one reason of the list keeps it from the sockets', () => {
  const listed = new Map(EXPLAIN_ONLY.map(([reason]) => [reason, []]));
  for (const { v } of all) {
    const reason = explainOnly(v);
    if (reason) listed.get(reason).push(v.id);
  }
  equal(live.length + [...listed.values()].flat().length, all.length, 'live and listed together');
  const known = all.filter((x) => x.file === 'role-vectors.json' && /^(join|connect)$/.test(x.v.event.type) && explainOnly(x.v));
  for (const { v } of known) {
    ok(v.room.lobby || v.admitted || v.room.breakout || v.expect.fatal,
      `${v.id} could be joined over sockets, yet it is listed: ${explainOnly(v)}`);
  }
  console.log(`# ${live.length} vectors live, ${all.length - live.length} by explain only`);
  for (const [reason, ids] of listed) if (ids.length) console.log(`#   ${reason}: ${ids.join(' ')}`);
});

// One server per configuration; its vectors one after the other, each in a meeting of its own.
const groups = new Map();
for (const { v } of live) {
  const key = JSON.stringify([liveConfig(v), v.config.known_kids ?? []]);
  if (!groups.has(key)) groups.set(key, { vectors: [] });
  groups.get(key).vectors.push(v);
}
for (const group of groups.values()) {
  group.left = group.vectors.length;
  for (const v of group.vectors) {
    test(`live: ${v.id}`, async () => {
      try {
        group.server ??= await begin(v);
        compare(v, v.expect, await playVector(v, group.server, group.server.privateKey));
      } finally {
        group.left -= 1;
        if (group.left === 0) await group.server?.stop();
      }
    }, { timeout: 30000 });
  }
}

async function begin(v) {
  const s = new Server({});
  const { config, key, keys } = await withKeys(liveConfig(v), s.folder, v.config.known_kids);
  const secret = s.config.app_secret;
  s.config = { ...config, ...(key || config.auth === 'none' ? {} : { app_secret: secret }) };
  s.privateKey = key;
  s.keys = keys;
  await s.start();
  return s;
}

/** Holds what was seen against what the vector expects, as far as sockets show it. */
function compare(v, expect, { seen, log, changes }) {
  const wrong = [];
  const check = (what, expected, actual) => {
    if (!Object.is(expected, actual)) wrong.push(`${what}: expected ${show(expected)}, saw ${show(actual)}`);
  };
  check('accepted', expect.accepted, seen.accepted);
  for (const k of ['stage', 'condition', 'affiliation', 'role', 'name', 'elected']) {
    if (k in expect && (k !== 'elected' || 'elected' in seen)) check(k, expect[k], seen[k]);
  }
  if (expect.reason && /^(join|connect)$/.test(v.event.type) && !new RegExp(`\\b${expect.reason}\\b`).test(log)) {
    wrong.push(`reason: the log does not say ${expect.reason}: ${log}`);
  }
  for (const c of expect.changes ?? []) {
    for (const k of ['affiliation', 'role', 'name']) if (k in c) check(`change of ${c.who}: ${k}`, c[k], changes[c.who]?.[k]);
  }
  if (wrong.length) fail(wrong.join('\n'), v);
}

// Random vectors: explain and the server must say the same.
const SEED = Number(process.env.SEED ?? 20260901);
const rounds = randomVectors(SEED, { configurations: 24, each: 21 });
const file = join(temporaryFolder(), 'random.json');
writeFileSync(file, JSON.stringify(rounds.file));
let verdicts = null;
function verdictOf(id) {
  if (!verdicts) {
    const r = gavel(['explain', '--vectors', file]);
    equal(r.code, 0, `exit code of explain over random vectors (seed ${SEED}); ${show(r.err)}`);
    verdicts = new Map(r.out.trimEnd().split('\n').map((l) => JSON.parse(l)).map((l) => [l.id, l.verdict]));
    equal(verdicts.size, rounds.file.vectors.length, 'verdicts');
  }
  return verdicts.get(id);
}

test('the random vectors reach most rules', () => {
  const seen = rounds.file.vectors.map((v) => verdictOf(v.id));
  const reasons = new Set(seen.map((v) => v.reason));
  ok(reasons.size >= 20, 'different reasons', [...reasons].sort().join(' '));
  for (const r of ['R_TOKEN_GRANT', 'R_TOKEN_DENY', 'R_NO_CLAIM', 'R_GUEST', 'R_FIRST', 'R_AUTHENTICATED', 'R_EVERYONE']) ok(reasons.has(r), `${r} is reached`);
  const accepted = seen.filter((v) => v.accepted).length;
  ok(accepted > seen.length / 2, `${accepted} of ${seen.length} are accepted`);
  ok(seen.some((v) => v.changes?.length), 'some arrival changes somebody else');
});

for (const [i, pair] of pairs(rounds.configurations).entries()) {
  test(`random vectors (seed ${SEED}), configurations ${pair.map((c) => c.name).join(' and ')}: explain and the server agree`, async () => {
    const wrong = (await Promise.all(pair.map(randomRound))).flat();
    ok(wrong.length === 0, `${wrong.length} of ${pair.reduce((n, c) => n + c.vectors.length, 0)} differ (round ${i}):\n${wrong.slice(0, 5).join('\n')}`);
  }, { timeout: 120000 });
}

function pairs(list) {
  return list.reduce((out, x, i) => { if (i % 2) out.at(-1).push(x); else out.push([x]); return out; }, []);
}

async function randomRound({ vectors }) {
  const wrong = [];
  const first = complete(vectors[0], rounds.file.defaults);
  const server = await begin(first);
  try {
    for (const raw of vectors) {
      const v = complete(raw, rounds.file.defaults);
      const verdict = verdictOf(v.id);
      const expect = { ...verdict };
      v.expect = expect;
      if (!('name' in verdict)) delete expect.name;
      try {
        const result = await playVector(v, server, null);
        compare(v, expect, result);
        unchanged(v, expect, result);
      } catch (e) {
        wrong.push(`${v.id}: ${e.message}`);
      }
    }
  } finally {
    await server.stop();
  }
  return wrong;
}

/** Occupants of whom the verdict says nothing keep what they have. */
function unchanged(v, expect, { changes }) {
  for (const o of v.room.occupants) {
    if ((expect.changes ?? []).some((c) => c.who === o.who)) continue;
    const is = changes[o.who];
    if (is && (is.affiliation !== o.affiliation || is.role !== o.role || is.name !== (o.name ?? null))) {
      fail(`${o.who} changed although the verdict does not say so: ${show(o)} became ${show(is)}`);
    }
  }
}

await run();
