// env.test.mjs - whole .env files of docker-jitsi-meet, and each of its variables: checked, explained, served.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { equal, lacks, match, ok, rejects, run, same, test, until } from '../support/harness.mjs';
import { Client } from '../support/client.mjs';
import { GAVEL, ROOT, Server, cleanEnvironment, freePort, gavel, temporaryFolder } from '../support/server.mjs';
import { makeToken, now } from '../support/token.mjs';

const FOLDER = join(ROOT, 'tests/vectors/env');
const NAMES = readFileSync(join(FOLDER, 'names.txt'), 'utf8').trim().split('\n');
const FILES = {
  2022: { secret: 'made-up secret of 2022: 0123456789 # not a comment', iss: 'my_app', sub: 'any', domain: 'meet.jitsi', muc: 'muc.meet.jitsi' },
  2026: { secret: 'made-up secret of 2026\twith a tab and $5', iss: 'org_app', sub: 'meet.example.org', domain: 'meet.example.org',
    muc: 'conference.meet.example.org' },
};
const file = (year) => join(FOLDER, `${year}.env`);
const folder = temporaryFolder();

function envFile(text) {
  const path = join(folder, 'some.env');
  writeFileSync(path, text);
  return path;
}

/** The variables as compose gives them to a container, as far as these files go. */
function values(text) {
  const out = {};
  for (const [, name, raw] of text.matchAll(/^(?:export )?([A-Z0-9_]+)=("(?:[^"\\]|\\.)*"|'[^']*'|.*)/gm)) {
    const expand = (t) => t.replace(/\$\{?([A-Z_]+)(?::?-([^}]*))?\}?/g, (_, n, word) => out[n] || (word ?? ''));
    if (raw[0] === "'") out[name] = raw.slice(1, -1);
    else if (raw[0] === '"') out[name] = raw.slice(1, -1).replace(/\\t/g, '\t').replace(/\\\$/g, '\0').replace(/\$\{?[A-Z].*/, expand).replace('\0', '$');
    else out[name] = expand(raw.replace(/\s+#.*/, '').trim()).replace(/^~$/, '');
  }
  return out;
}

/** The lines of a check about one variable. */
const about = (out, name) => out.split('\n').filter((l) => new RegExp(`(^|[ :])${name}(=|:| )`).test(l) && /->|: /.test(l));

for (const [year, f] of Object.entries(FILES)) {
  const text = readFileSync(file(year), 'utf8').replace(/^\ufeff/, '');
  const set = [...text.matchAll(/^(?:export )?([A-Z0-9_]+)=(.+)$/gm)].filter(([, , v]) => v !== '~').map(([, n]) => n);
  const claims = (user) => ({ iss: f.iss, aud: 'jitsi', sub: f.sub, room: '*', exp: now() + 600, context: { user } });

  test(`the file of ${year}: check has a line for each variable, and for none a secret`, () => {
    const r = gavel(['check', '--env', file(year)]);
    equal(r.code, 0, r.out + r.err);
    const read = (r.out + r.err).split('\nTokens')[0];
    const own = ['ROLE_MODE', 'LOG_LEVEL', 'XMPP_CONFIGURATION']; // our own keys show where their values stand
    for (const name of new Set(set)) {
      const lines = about(own.includes(name) ? r.out + r.err : read, name).filter((l) => !/is given twice/.test(l));
      if (/^JWT_(AUTH_TYPE|TOKEN_AUTH_MODULE)$/.test(name)) continue; // at their only value they say nothing
      ok(lines.length === (name === 'DISABLE_GRANT_MODERATOR' ? 2 : 1) || own.includes(name) || (/_MODULES$/.test(name) && lines.length), `${name} has ${lines.length} lines`, lines);
    }
    lacks(read, /means nothing here/);
    lacks(r.out + r.err, /made-up/);
  });

  test(`the file of ${year}: what the whole says is the same with Windows' line ends`, () => {
    const plain = gavel(['check', '--env', file(year)]);
    const path = envFile(readFileSync(file(year), 'utf8').replace(/\n/g, '\r\n'));
    const r = gavel(['check', '--env', path]);
    equal(r.code, 0);
    const rest = (out) => out.slice(out.indexOf('\nTokens'));
    equal(rest(r.out), rest(plain.out));
  });

  test(`the file of ${year}: explain tells a token's role`, () => {
    for (const [user, role] of [[{ name: 'A', moderator: true }, 'moderator'], [{ name: 'B', moderator: false }, 'participant']]) {
      const r = gavel(['explain', '--env', file(year), '--room', 'demo', '--claims', JSON.stringify(claims(user)), '--json']);
      equal(r.code, 0, r.out + r.err);
      equal(JSON.parse(r.out).role, role);
      lacks(r.out + r.err, /made-up/);
    }
  });

  test(`the file of ${year}: serve does what check said`, async () => {
    const own = await Server.start({ domain: f.domain, muc_domain: f.muc }, { docker: { ...values(text), XMPP_PORT: '0' } });
    try {
      own.secret = f.secret;
      const c = await Client.connect(own, { token: makeToken(claims({ id: 'u', name: 'Alice Example', moderator: true }), f.secret) });
      equal((await c.join('demo')).role, 'moderator');
      const config = (await own.get('/config.js')).body;
      match(config, new RegExp(f.muc.replaceAll('.', '\\.')));
      await c.close();
      lacks(own.log, /made-up/);
      // what check says of each variable, the start says too
      const quiet = /^(JWT_AUTH_TYPE|JWT_TOKEN_AUTH_MODULE|HTTP_PORT|XMPP_PORT)$/;
      const start = own.log.split('\n').filter((l) => / event=config /.test(l)).map((l) => l.replace(/^\S+ \w+ event=config /, ''));
      for (const [name, value] of Object.entries(values(text))) {
        if (value && !quiet.test(name)) ok(start.filter((l) => new RegExp(`(^|[ :])${name}(=|:| )`).test(l)).length, `a line about ${name}`, start);
      }
      lacks(config, /made-up/);
    } finally {
      await own.stop();
    }
  });
}

test('serve takes the file itself, with quotes, comments and references, in place of the environment', async () => {
  const [port, state] = [await freePort(), join(folder, 'state')];
  const path = envFile(`CONFIG=~/.jitsi-meet-cfg\nPORT=${port}\nHTTP_PORT=\${PORT} # the page's\nHTTPS_PORT=~\nENABLE_AUTH=1\nAUTH_TYPE=jwt\n`
    + `JWT_APP_ID="my_app"\nJWT_APP_SECRET='made-up # secret of thirty-two bytes'\nSTATE_DIRECTORY=${state}\nXMPP_DOMAIN=docker.example\n`);
  const child = spawn(GAVEL, ['serve', '--env', path, '--set', 'log_level=info'], { env: cleanEnvironment({ ENABLE_AUTH: '0', XMPP_DOMAIN: 'elsewhere.example' }) });
  let log = '';
  for (const out of [child.stdout, child.stderr]) out.setEncoding('utf8').on('data', (d) => { log += d; });
  const ended = new Promise((done) => child.on('close', done));
  try {
    const config = await until(() => fetch(`http://127.0.0.1:${port}/config.js`).then((r) => r.text(), () => null), { what: 'config.js', timeout: 15000 });
    match(config, /domain: "docker\.example"/, 'the domain of the file');
    const at = { port, domain: 'docker.example', muc: 'muc.docker.example', focus: 'focus.docker.example' };
    const sign = (key) => makeToken({ iss: 'my_app', aud: 'jitsi', sub: 'any', room: '*', exp: now() + 60, context: { user: { id: 'u', name: 'A', moderator: true } } }, key);
    const c = await Client.connect(at, { token: sign('made-up # secret of thirty-two bytes') });
    equal((await c.enter('demo')).role, 'moderator');
    await c.close();
    await rejects(Client.connect(at, { token: sign('made-up') }), 'a token with what stands before the #');
    match(gavel(['explain', '--live', '--counters', '--env', path]).out, /\w/, 'the other commands find it by the same file');
  } finally {
    child.kill('SIGTERM');
  }
  equal(await ended, 0, `the exit code; ${log.slice(-500)}`);
  lacks(log, /made-up/);
  for (const args of [['--env'], ['--env', path, '--config', path], ['--trial', '--env', path]]) equal(gavel(['serve', ...args]).code, 2, args.join(' '));
  const none = gavel(['serve', '--env', join(folder, 'none.env')]);
  equal(none.code, 2, 'a file that is not there');
  match(none.err, /none\.env: cannot be read: No such file/);
  match(gavel(['serve']).err, /gavel serve --env \.env/, 'with nothing at all it is named');
});

test('every variable that docker-jitsi-meet has had since 2020 is known by its name', () => {
  // each alone, with a value that most of them may have; those that refuse it are known, too
  const quiet = new Set(['ENABLE_AUTH']);
  const missing = [];
  const lines = ['ENABLE_AUTH=0', ...NAMES.filter((n) => !quiet.has(n)).map((n) => `${n}=1`)];
  const r = gavel(['check', '--env', envFile(`${lines.join('\n')}\n`)]);
  const out = r.out + r.err;
  for (const n of NAMES) {
    const said = about(out, n);
    if (!said.length || said.some((l) => /means nothing here|no name known/.test(l))) missing.push(n);
  }
  same(missing, []);
});

test('a name that nobody knows has a line, and one nearly known a hint', () => {
  const r = gavel(['check', '--env', envFile('ENABLE_AUTH=0\nSOMETHING_OF_OURS=1\nENABLE_SUBDOMAIN=1\n')]);
  match(r.out + r.err, /SOMETHING_OF_OURS: means nothing here/);
  match(r.out + r.err, /did you mean ENABLE_SUBDOMAINS\?/);
});

test('STUN and TURN as docker names them become servers', () => {
  const derive = (text) => {
    const r = gavel(['check', '--env', envFile(`ENABLE_AUTH=0\nTURN_CREDENTIALS=made-up-secret\n${text}\n`)]);
    lacks(r.out + r.err, /made-up/);
    const line = /^ +ice_servers +(\[.*?\])/m.exec(r.out);
    ok(line, r.out + r.err);
    return JSON.parse(line[1]);
  };
  same(derive('STUN_HOST=s.example'), ['stun:s.example:443']);
  same(derive('STUN_HOST=s.example\nSTUN_PORT=3478'), ['stun:s.example:3478']);
  same(derive('TURN_HOST=a.example, b.example\nTURN_PORT=3478'), ['turn:a.example:3478?transport=tcp', 'turn:b.example:3478?transport=tcp']);
  same(derive('TURN_HOST=a.example\nTURN_TRANSPORT=udp,tcp'), ['turn:a.example:443?transport=udp', 'turn:a.example:443?transport=tcp']);
  same(derive('TURNS_HOST=t.example\nTURNS_PORT=5349'), ['turns:t.example:5349?transport=tcp']);
  same(derive('TURN_PORT=3478'), []);
  same(derive('TURN_HOST=a.example\nICE_SERVERS=stun:own.example:1'), ['stun:own.example:1']);
});

await run();
