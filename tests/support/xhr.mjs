// xhr.mjs - as much of the browser's XMLHttpRequest as strophe.js needs for BOSH, over node's own HTTP.
import { Agent, request } from 'node:http';
import { DOMParser } from '@xmldom/xmldom';

// As in a browser, connections are kept, whoever asks.
const agent = new Agent({ keepAlive: true });

export class Xhr {
  readyState = 0;
  status = 0;
  responseText = '';
  responseXML = null;
  onreadystatechange = null;
  #headers = {};

  open(method, url) {
    this.method = method;
    this.url = new URL(url);
    this.#state(1);
  }

  setRequestHeader(name, value) { this.#headers[name] = value; }
  overrideMimeType() {}
  getAllResponseHeaders() { return Object.entries(this.answered ?? {}).map(([k, v]) => `${k}: ${v}\r\n`).join(''); }
  getResponseHeader(name) { return this.answered?.[name.toLowerCase()] ?? null; }

  send(body = '') {
    const bytes = Buffer.from(body ?? '');
    const headers = { ...this.#headers, 'Content-Length': bytes.length };
    this.request = request(this.url, { method: this.method, headers, agent }, (answer) => {
      const parts = [];
      this.status = answer.statusCode;
      this.answered = answer.headers;
      answer.on('data', (part) => parts.push(part));
      answer.on('error', () => this.#fail());
      answer.on('end', () => {
        this.responseText = Buffer.concat(parts).toString();
        if (this.responseText) this.responseXML = new DOMParser().parseFromString(this.responseText, 'text/xml');
        this.#state(4);
      });
    });
    this.request.on('error', () => this.#fail());
    this.request.end(bytes);
  }

  abort() {
    this.aborted = true;
    this.request?.destroy();
  }

  #fail() {
    if (this.aborted || this.readyState === 4) return;
    this.status = 0;
    this.#state(4);
  }

  #state(state) {
    this.readyState = state;
    this.onreadystatechange?.();
  }
}
