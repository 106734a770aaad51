// decide.test.mjs - a role decision is small beside the signature check, and the same in a large room.
import { figures, tool } from '../support/figures.mjs';
import { ok, run, test } from '../support/harness.mjs';

test('a role decision costs less than an RS256 check, and in a room of 500 what it costs in one of 5', async () => {
  const f = await figures(tool('decide'), []);
  console.log(`# ${JSON.stringify(f)}`);
  ok(f.decide_us_5 > 0 && f.decide_us_5 < f.verify_us_rs256, 'a decision costs more than an RS256 check:', f);
  ok(f.decide_us_500 < 1.5 * f.decide_us_5 + 0.2, 'a decision depends on the size of the room:', f);
}, { timeout: 60000 });

await run();
