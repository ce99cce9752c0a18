// The worker's HTTP API, as a page under any path prefix asks for it.

import { PcmReader } from "./pcm.js";

const KEY = "api-key";

/** A refusal by the worker: its line for people, the HTTP status and the code for programs. */
export class Refused extends Error {
  constructor(status, { message, code } = {}, retryAfter = null) {
    super(message ?? `the worker answered ${status}`);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** The connection ended before the audio did: the engine failed in mid-speech, or the network. */
export class BrokenOff extends Error {}

/** Remember the key until the tab is closed. */
export function useKey(key) {
  sessionStorage.setItem(KEY, key);
}

export function hasKey() {
  return sessionStorage.getItem(KEY) !== null;
}

export async function voices() {
  return (await (await ask("v1/audio/voices")).json()).voices;
}

export async function facts() {
  return (await ask("web/page.json")).json();
}

/** Yields the samples of a speech as they arrive. Throws Refused, BrokenOff, or an AbortError after `signal`. */
export async function* speak(request, signal) {
  const body = JSON.stringify({ ...request, response_format: "pcm" });
  const answer = await ask("v1/audio/speech", { method: "POST", body, signal });
  const bytes = answer.body.getReader();
  const pcm = new PcmReader();
  for (;;) {
    const { done, value } = await bytes.read().catch((error) => {
      throw signal.aborted ? error : new BrokenOff();
    });
    if (done) return;
    yield pcm.read(value);
  }
}

async function ask(path, options = {}) {
  const key = sessionStorage.getItem(KEY);
  const headers = { "Content-Type": "application/json", ...(key && { Authorization: `Bearer ${key}` }) };
  const answer = await fetch(new URL(path, document.baseURI), { ...options, headers });
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({})); // a proxy in between may answer in HTML
  throw new Refused(answer.status, body.error, Number(answer.headers.get("Retry-After")) || null);
}
