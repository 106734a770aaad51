// One Chromium with a fake camera and microphone, and what the tests ask of a page in it: its media,
// its frames, its console, its picture.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';

export const OUT = process.env.OUT ?? path.resolve(fileURLToPath(new URL('.', import.meta.url)),
  '../../build/meet');

const FLAGS = [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream=fps=15',
  '--autoplay-policy=no-user-gesture-required', '--disable-dev-shm-usage',
];

let browser = null;

async function start() {
  browser ??= await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS, headless: true,
  });
  return browser;
}

export async function stopBrowser() {
  await browser?.close();
  browser = null;
}

// Every WebSocket and every peer connection that a page makes is kept, whoever makes it: the tests measure media there and not
// in what a client says about itself.
function recordConnections() {
  const Socket = window.WebSocket;
  window.socketsOfThisPage = [];
  window.WebSocket = class extends Socket {
    constructor(...args) {
      super(...args);
      window.socketsOfThisPage.push(this);
    }
  };
  const Native = window.RTCPeerConnection;
  window.peersOfThisPage = [];
  window.RTCPeerConnection = class extends Native {
    constructor(...args) {
      super(...args);
      window.peersOfThisPage.push(this);
    }
  };
}

async function readMedia() {
  const sum = {
    connections: 0, framesDecoded: 0, audioEnergy: 0, audioPackets: 0, framesSent: 0,
    videosShown: 0, states: [], candidates: [],
  };
  for (const peer of window.peersOfThisPage ?? []) {
    sum.states.push(`${peer.signalingState}/${peer.iceConnectionState}/${peer.connectionState}`);
    if (peer.connectionState !== 'connected') continue;
    sum.connections += 1;
    const stats = await peer.getStats();
    for (const s of stats.values()) {
      if (s.type === 'inbound-rtp' && s.kind === 'video') sum.framesDecoded += s.framesDecoded ?? 0;
      if (s.type === 'outbound-rtp' && s.kind === 'video') sum.framesSent += s.framesSent ?? 0;
      if (s.type === 'inbound-rtp' && s.kind === 'audio') {
        sum.audioEnergy += s.totalAudioEnergy ?? 0;
        sum.audioPackets += s.packetsReceived ?? 0;
      }
      if (s.type === 'candidate-pair' && s.nominated) {
        sum.candidates.push(`${stats.get(s.localCandidateId)?.candidateType}->`
          + `${stats.get(s.remoteCandidateId)?.candidateType}`);
      }
    }
  }
  sum.videosShown = [...document.querySelectorAll('video')]
    .filter((v) => v.videoWidth > 0 && !v.paused && v.getClientRects().length > 0).length;
  return sum;
}

/** One participant's browser: a context of its own, so nothing is shared with the others. */
export class Tab {
  constructor(name, context, page) {
    this.name = name;
    this.context = context;
    this.page = page;
    this.own = false; // the server's own page
    this.console = [];
    this.frames = [];
    page.on('console', (m) => this.console.push(`${m.type()}: ${m.text()}`.slice(0, 400)));
    page.on('pageerror', (e) => this.console.push(`uncaught: ${e.message}`));
    page.on('websocket', (socket) => {
      socket.on('framereceived', (f) => this.frames.push(`< ${f.payload}`));
      socket.on('framesent', (f) => this.frames.push(`> ${f.payload}`));
      socket.on('close', () => this.frames.push('. closed'));
      this.frames.push(`. open ${socket.url().replace(/token=[^&]*/, 'token=...')}`);
    });
  }

  media() {
    return this.page.evaluate(readMedia);
  }

  /** Stanzas that arrived, as text, in order. */
  received() {
    return this.frames.filter((f) => f.startsWith('< ')).map((f) => f.slice(2));
  }

  async shot(name) {
    mkdirSync(OUT, { recursive: true });
    await this.page.screenshot({ path: path.join(OUT, `${name}.png`) });
  }

  /** Ends the connections to the server, as a network does that goes away. */
  cutOff() {
    return this.page.evaluate(() => window.socketsOfThisPage.forEach((s) => s.close()));
  }

  /** What was seen here, for the report of a failure. */
  async describe() {
    const media = await this.media().catch((e) => String(e));
    const hidden = (text) => text.replace(/eyJ[\w.-]+/g, '(token)');
    return [
      `[${this.name}] ${hidden(this.page.url())}`, `media ${JSON.stringify(media)}`,
      ...this.console.slice(-12).map((l) => `console ${hidden(l)}`),
      ...this.frames.slice(-14).map((l) => `frame ${hidden(l).slice(0, 300)}`),
    ];
  }

  close() {
    return this.context.close();
  }
}

const open = new Set();

/** Errors that nobody caught on the server's own page, which may have none; a stock client may do as it likes. */
export function uncaughtErrors() {
  return [...open].filter((tab) => tab.own).flatMap((tab) => tab.console
    .filter((line) => /^uncaught|Content Security Policy/.test(line)).map((line) => `${tab.name}: ${line}`));
}

/** options: those of a browser context, and cutJingle: no session is passed on between this tab and the server. */
export async function openTab(name, { cutJingle = false, own = false, ...options } = {}) {
  const context = await (await start()).newContext({
    permissions: ['camera', 'microphone'], viewport: { width: 1000, height: 640 }, locale: 'en-GB', ...options,
  });
  context.setDefaultTimeout(15_000);
  await context.addInitScript(recordConnections);
  const tab = new Tab(name, context, await context.newPage());
  tab.own = own;
  if (cutJingle) {
    await tab.page.routeWebSocket(/xmpp-websocket/, (client) => {
      const server = client.connectToServer();
      client.onMessage((text) => { if (!/<jingle/.test(text)) server.send(text); });
      server.onMessage((text) => { if (!/<jingle/.test(text)) client.send(text); });
    });
  }
  open.add(tab);
  context.on('close', () => open.delete(tab));
  return tab;
}

/** Ends what a test has left open; with `failed`, after a picture and the last lines of each tab. */
export async function closeTabs(failed) {
  const lines = [];
  for (const tab of [...open]) {
    if (failed) {
      const known = tab.describe().catch((e) => [`[${tab.name}] ${e.message}`]);
      lines.push(...await Promise.race([known, sleep(3000, [`[${tab.name}] does not answer`])]));
      await Promise.race([tab.shot(`failed-${failed}-${tab.name}`).catch(() => {}), sleep(5000)]);
    }
    await tab.close().catch(() => {});
  }
  open.clear();
  return lines;
}

/** Waits until `look` gives something true, and returns it; `what` says what was awaited, with what was seen last. */
export async function until(what, look, seconds = 15) {
  const end = Date.now() + seconds * 1000;
  let seen;
  for (;;) {
    try {
      seen = await look();
      if (seen) return seen;
    } catch (e) {
      seen = e.message;
    }
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}; last seen: ${JSON.stringify(seen)}`);
    await sleep(100);
  }
}

// What one beep of the fake microphone brings at least; decoded silence stays far below.
export const AUDIBLE = 0.005;

/**
 * Whether picture and sound from somebody else arrive at this participant now: frames decoded and audio energy
 * both grow. Returns { ok, first, last }.
 */
export async function mediaFlows(client, seconds = 15) {
  const end = Date.now() + seconds * 1000;
  let first = await client.media();
  let last = first;
  while (Date.now() < end) {
    await sleep(250);
    last = await client.media();
    if (last.framesDecoded < first.framesDecoded || last.connections !== first.connections) first = last;
    if (last.framesDecoded >= first.framesDecoded + 5 && last.audioEnergy > first.audioEnergy + AUDIBLE
      && last.audioPackets > first.audioPackets) return { ok: true, first, last };
  }
  return { ok: false, first, last };
}
