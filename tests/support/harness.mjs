// harness.mjs - a tiny test runner that prints TAP: every test has a time limit, nothing is ever skipped.
import { inspect } from 'node:util';
import { basename } from 'node:path';

const tests = [];
const endings = [];

/** Registers a test; it runs when run() is called, in order. */
export function test(name, body, { timeout = 20000 } = {}) {
  tests.push({ name, body, timeout });
}

/** Registers something that must happen after the last test (it counts as a test of its own). */
export function ending(name, body, { timeout = 20000 } = {}) {
  endings.push({ name, body, timeout });
}

class AssertionFailed extends Error {}

export function show(value, limit = 1500) {
  const text = (typeof value === 'string' ? value : inspect(value, { depth: 8, breakLength: 110, maxArrayLength: 60 }))
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '.');
  return text.length > limit ? `${text.slice(0, limit)} ... (${text.length} characters)` : text;
}

export function fail(message, ...seen) {
  throw new AssertionFailed([message, ...seen.map((s) => show(s))].join('\n'));
}

export function ok(condition, message, ...seen) {
  if (!condition) fail(message, ...seen);
}

export function equal(actual, expected, what = 'value') {
  if (!Object.is(actual, expected)) fail(`${what}: expected ${show(expected)}, saw ${show(actual)}`);
}

export function same(actual, expected, what = 'value') {
  const a = canonical(actual);
  const b = canonical(expected);
  if (a !== b) fail(`${what}:\n  expected ${show(b)}\n  saw      ${show(a)}`);
}

export function match(text, pattern, what = 'text') {
  if (typeof text !== 'string' || !pattern.test(text)) fail(`${what} does not match ${pattern}; saw:`, text ?? '(nothing)');
}

export function lacks(text, pattern, what = 'text') {
  if (pattern.test(text)) fail(`${what} must not match ${pattern}; saw:`, text);
}

/** Awaits a rejection and hands the error back. */
export async function rejects(promise, what = 'call') {
  let value;
  try {
    value = await promise;
  } catch (e) {
    if (e instanceof AssertionFailed) throw e;
    return e;
  }
  return fail(`${what}: expected a refusal, saw success:`, value);
}

function canonical(v) {
  return JSON.stringify(v, (k, x) =>
    x && typeof x === 'object' && !Array.isArray(x) ? Object.fromEntries(Object.entries(x).sort()) : x);
}

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

/** Polls until the function returns something true; fails with what it returned last. */
export async function until(probe, { timeout = 5000, every = 20, what = 'condition' } = {}) {
  const end = Date.now() + timeout;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) fail(`waited ${timeout} ms for ${what}; saw last:`, value);
    await sleep(every);
  }
}

/** A small generator with a seed, so that a random case can be repeated. */
export function random(seed) {
  let s = seed >>> 0;
  const next = () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), s | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return {
    next,
    int: (n) => Math.floor(next() * n),
    pick: (list) => list[Math.floor(next() * list.length)],
    chance: (p) => next() < p,
  };
}

function limited(body, ms) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new AssertionFailed(`not finished after ${ms} ms`)), ms);
  });
  return Promise.race([Promise.resolve().then(body), late]).finally(() => clearTimeout(timer));
}

function diagnose(error) {
  const text = error instanceof AssertionFailed ? `${error.message}\n${where(error)}` : String(error?.stack ?? error);
  for (const line of text.split('\n')) if (line) console.log(`#   ${line}`);
}

function where(error) {
  const line = (error.stack ?? '').split('\n').find((l) => /\.test\.mjs/.test(l));
  return line ? line.trim() : '';
}

/** Runs what was registered and ends the process: 0 when all passed, 1 otherwise. */
export async function run() {
  let n = 0;
  let failed = 0;
  let loose = [];
  process.on('unhandledRejection', (e) => loose.push(e));
  process.on('uncaughtException', (e) => loose.push(e));
  const only = process.env.ONLY ? new RegExp(process.env.ONLY) : null; // for a developer; the driver never sets it
  const chosen = only ? tests.filter((t) => only.test(t.name)) : tests;
  for (const t of [...chosen, ...endings]) {
    n += 1;
    const began = Date.now();
    let error;
    try {
      await limited(t.body, t.timeout);
    } catch (e) {
      error = e;
    }
    if (!error && loose.length) [error] = loose;
    loose = [];
    const ms = Date.now() - began;
    if (error) {
      failed += 1;
      console.log(`not ok ${n} - ${t.name} # ${ms} ms`);
      diagnose(error);
    } else {
      console.log(`ok ${n} - ${t.name} # ${ms} ms`);
    }
  }
  if (n === 0) {
    console.log(`not ok 1 - ${basename(process.argv[1])} holds no test`);
    n = failed = 1;
  }
  console.log(`1..${n}`);
  process.exit(failed ? 1 : 0);
}
