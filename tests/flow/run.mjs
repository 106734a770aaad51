// run.mjs - runs every flow test (or those whose file name holds one of the arguments), two files at a time, as one TAP
// stream. GAVEL_WORKERS=N and GAVEL_PLACE=wrong say how the servers spread their work (tests/support/server.mjs),
// GAVEL_DOOR=wss|tcp|bosh by which door clients come (tests/support/doors.mjs).
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { play, testFiles } from '../support/suite.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const how = [['GAVEL_WORKERS', 'workers'], ['GAVEL_PLACE', 'place'], ['GAVEL_DOOR', 'door']].filter(([k]) => process.env[k])
  .map(([k, name]) => `${name}=${process.env[k]}`).join(' ');
// The long ones first, so that two cores end together.
const files = testFiles(here, wanted, ['memory', 'vectors', 'moderation', 'hostile', 'names', 'scale']);
await play(here, files, { parallel: Number(process.env.FLOW_PARALLEL ?? 2), how, kind: 'flow test', wanted });
