// scale.test.mjs - hundreds at once: every presence is counted, none is missing, doubled or wrong.
import { ok, run, test } from '../support/harness.mjs';
import { Light, crowd } from '../support/light.mjs';
import { GAVEL_RELEASE, withServer } from '../support/server.mjs';

const KINDS = ['moderator', 'denied', 'silent', 'guest'];
const EXPECTED = { moderator: 'owner/moderator', denied: 'member/participant', silent: 'member/participant', guest: 'none/participant' };

function person(server, i) {
  const kind = i === 0 ? 'moderator' : KINDS[i % KINDS.length];
  const user = { id: `u${i}`, name: `Name ${i}` };
  if (kind === 'moderator') user.moderator = true;
  if (kind === 'denied') user.moderator = 'false';
  return { kind, client: new Light(server, kind === 'guest' ? undefined : server.token(user)) };
}

/** Counts what each saw of each: exactly one presence, with the right role. */
function count(rooms) {
  const wrong = [];
  let presences = 0;
  for (const people of rooms) {
    for (const x of people) {
      for (const y of people) {
        const p = x.client.seen.get(y.client.id);
        presences += p?.times ?? 0;
        if (p?.times !== 1 || p.gone || `${p.affiliation}/${p.role}` !== EXPECTED[y.kind]) {
          wrong.push(`${y.kind} as ${x.kind} saw him: ${JSON.stringify(p ?? null)}`);
        }
      }
      if (x.client.seen.get('focus')?.times !== 1) wrong.push(`the focus, seen ${x.client.seen.get('focus')?.times} times`);
      if (x.client.seen.size !== people.length + 1) wrong.push(`${x.client.seen.size} occupants seen instead of ${people.length + 1}`);
      wrong.push(...x.client.errors);
    }
  }
  ok(wrong.length === 0, `${wrong.length} wrong of ${presences}:\n${wrong.slice(0, 10).join('\n')}`);
  return presences;
}

const settle = async (people) => { for (let k = 0; k < 2; k += 1) await crowd(people, 50, ({ client }) => client.settle()); };
const LIMITS = { allow_guests: true, joins_per_second: 100000 };

test('three hundred in one room: ninety thousand presences, each once and right', () => withServer(LIMITS, async (server) => {
  const began = Date.now();
  const people = Array.from({ length: 300 }, (_, i) => person(server, i));
  await crowd(people, 40, ({ client }) => client.connect());
  await people[0].client.enter('hall');
  await crowd(people.slice(1), 40, ({ client }) => client.enter('hall'));
  await settle(people);
  const n = count([people]);
  console.log(`# ${n} presences of people counted in ${Date.now() - began} ms`);
}, { bin: GAVEL_RELEASE }), { timeout: 90000 });

test('a thousand sessions in two hundred and fifty rooms: each room complete and by itself', () => withServer(LIMITS, async (server) => {
  const began = Date.now();
  const people = Array.from({ length: 1000 }, (_, i) => person(server, i % 4 === 3 ? 3 : i % 4));
  const rooms = Array.from({ length: 250 }, (_, r) => people.slice(r * 4, r * 4 + 4));
  await crowd(people, 50, ({ client }) => client.connect());
  await crowd(rooms, 25, async (four, r) => {
    for (const { client } of four) await client.enter(`room-${r}`);
  });
  await settle(people);
  const n = count(rooms);
  console.log(`# ${n} presences of people counted in ${Date.now() - began} ms`);
}, { bin: GAVEL_RELEASE }), { timeout: 90000 });

await run();
