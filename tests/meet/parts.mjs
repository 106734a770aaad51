// The page's own modules, bundled by page-parts.ts and run in a browser without the page around them.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from '../support/harness.mjs';
import { closeTabs, openTab } from './browser.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));

function bundle() {
  return execFileSync('esbuild', [path.join(here, 'page-parts.ts'), '--bundle', '--format=iife',
    '--global-name=parts', '--target=es2020', '--log-level=warning'], { encoding: 'utf8' });
}

/** Runs a function inside a page that knows `parts`. */
export async function inside(body, argument) {
  const tab = await openTab('parts');
  try {
    await tab.page.goto('about:blank');
    await tab.page.addScriptTag({ content: `${bundle()};window.parts = parts;` });
    return await tab.page.evaluate(body, argument);
  } finally {
    await closeTabs(null);
  }
}

export const page = (name, body) => test(`page parts: ${name}`, body, { timeout: 30_000 });
