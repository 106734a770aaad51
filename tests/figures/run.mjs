// run.mjs - the quick forms of what docs/performance.md claims (or those whose file name holds one of the arguments), one
// after the other, as one TAP stream. Counts, and ratios with a wide margin; never a stopwatch.
//
// GAVEL_RELEASE: the optimised server; BENCH: the folder of the load tools built beside it (build/release/bench).
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { play, testFiles } from '../support/suite.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
await play(here, testFiles(here, wanted), { kind: 'figure', wanted });
