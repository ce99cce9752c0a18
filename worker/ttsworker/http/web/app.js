// The page: requests speech, plays it while it arrives, and shows the progress.

import * as api from "./api.js";
import * as form from "./form.js";
import { SAMPLE_RATE } from "./pcm.js";
import { Player } from "./player.js";
import { wavFile } from "./wav.js";
import { Waveform } from "./waveform.js";

const CHARACTERS_PER_SECOND = 15; // of read English: the waveform's width before its true length is known
const RETRY_SECONDS = 3;
const INCOMPLETE = "The speech ended early: try again";
const UNREACHABLE = "The worker does not answer. Check that it runs and that the network is up.";

const element = (id) => document.getElementById(id);
const speakButton = element("speak"), stopButton = element("stop"), playButton = element("play");
const downloadButton = element("download"), position = element("position"), level = element("level");

const waveform = new Waveform(element("waveform"));
let player = null; // made at the first click: browsers let no page sound before
let running = null; // the AbortController of the request that is being answered
let retry = () => {}; // what to do again once a key was given
let fileName = "speech";
let nextFrame = 0; // in which the position is shown again

// Loading

async function load() {
  retry = load;
  try {
    const voices = await api.voices();
    const facts = await api.facts();
    form.fill(voices, facts);
    element("model").textContent = facts.model;
    showCommand();
    speakButton.disabled = false;
    tell("Ready");
  } catch (error) {
    if (error.status === 401) return showError(error);
    tell(error.code === "starting" ? "The model is being loaded" : "Trying again");
    if (error.code !== "starting") showError(error);
    return setTimeout(load, 1000 * (error.retryAfter ?? RETRY_SECONDS));
  }
  hideError();
}

// Speaking

async function speak() {
  if (speakButton.disabled) return;
  stop();
  hideError();
  retry = speak;
  const request = form.wanted();
  const began = performance.now();
  const mine = (running = new AbortController());
  prepare(request);
  try {
    await receive(request, mine.signal, began);
  } catch (error) {
    if (mine.signal.aborted) return; // stop() has shown it
    tell(player.recording.length ? `Interrupted after ${seconds(player.recording.seconds)}` : "Nothing was spoken");
    showError(error);
  }
  running = null;
  settle();
}

function prepare(request) {
  player ??= new Player(audioContext(), showControls);
  player.context.resume(); // not waited for: without a sound card it never comes, and there is still the download
  player.begin();
  fileName = (request.input.match(/[\p{L}\p{N}]+/gu) ?? ["speech"]).slice(0, 6).join("-").slice(0, 60).toLowerCase();
  waveform.begin([...request.input].length / CHARACTERS_PER_SECOND / request.speed);
  tell("Requesting speech");
  showControls();
  follow();
}

async function receive(request, signal, began) {
  let first = null;
  for await (const samples of api.speak(request, signal)) {
    if (signal.aborted) return;
    first ??= (performance.now() - began) / 1000;
    player.add(samples);
    waveform.add(samples);
    tell(`First audio after ${seconds(first)}`);
    showControls();
  }
  const took = (performance.now() - began) / 1000;
  const length = player.recording.seconds;
  const pace = (length / took).toPrecision(2);
  tell(`First audio after ${seconds(first)}. ${seconds(length)} of speech, made in ${seconds(took)}: ${Number(pace)} times real time.`);
}

/** Give the request up, which the worker notices, and be silent. */
function stop() {
  if (running) {
    running.abort();
    running = null;
    tell(player.recording.length ? `Stopped after ${seconds(player.recording.seconds)}` : "Stopped");
  }
  player?.halt();
  settle();
}

/** Nothing more arrives. */
function settle() {
  player?.finish();
  waveform.finish();
  showControls();
}

/** At the samples' own rate: a resampler would work on each piece by itself, which is heard where they join. */
function audioContext() {
  return new AudioContext({ sampleRate: SAMPLE_RATE, latencyHint: "interactive" });
}

// Listening

function togglePlay() {
  if (player.playing) {
    player.halt();
  } else {
    const ended = !running && player.position >= player.recording.seconds;
    player.playFrom(ended ? 0 : player.position);
    follow();
  }
  showControls();
}

function seek() {
  const wasPlaying = player.playing;
  player.playFrom(position.valueAsNumber);
  if (!wasPlaying) player.halt();
  showControls();
}

function download() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(wavFile(player.recording.from(0), SAMPLE_RATE));
  link.download = `${fileName}.wav`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser may ask where to save it first
}

// Showing

/** Show the position anew in every frame, until there is nothing more to hear. */
function follow() {
  cancelAnimationFrame(nextFrame);
  showPosition();
  if (player.playing) nextFrame = requestAnimationFrame(follow);
}

function showPosition() {
  const { position: heard, recording } = player;
  waveform.position = heard;
  level.value = player.playing ? player.level : 0;
  element("heard").textContent = clock(heard);
  element("length").textContent = clock(recording.seconds);
  position.max = waveform.seconds;
  position.value = heard;
  position.setAttribute("aria-valuetext", `${Math.round(heard)} of ${Math.round(recording.seconds)} seconds`);
}

function showControls() {
  const nothing = !player?.recording.length;
  const focused = document.activeElement;
  playButton.disabled = position.disabled = nothing;
  playButton.textContent = player?.playing && !nothing ? "Pause" : "Play";
  downloadButton.disabled = nothing || running !== null;
  stopButton.disabled = running === null && !player?.playing;
  // A button that is switched off under the focus would drop it at the top of the page.
  if (focused?.disabled) speakButton.focus();
  if (player) showPosition();
}

function showCommand() {
  element("shell").textContent = form.shellCommand(api.hasKey());
}

function showError(error) {
  if (error.status === 401) return askForKey(error);
  const known = error instanceof api.Refused ? error.message : error instanceof api.BrokenOff ? INCOMPLETE : null;
  const unknown = error instanceof TypeError ? UNREACHABLE : `${error.name}: ${error.message}`;
  const again = error.retryAfter ? ` (in ${error.retryAfter} s)` : "";
  element("error").textContent = (known ?? unknown) + again;
  element("error").hidden = false;
}

function hideError() {
  element("error").hidden = true;
}

function askForKey(error) {
  const why = api.hasKey() ? error.message : "This worker needs a key";
  element("key-hint").textContent = `${why}. It is kept until you close this tab.`;
  element("key-form").hidden = false;
  element("key").focus();
  tell("Enter an API key");
}

function tell(words) {
  const status = element("status");
  if (status.textContent !== words) status.textContent = words; // else it would be read out again
}

function seconds(number) {
  return `${number < 10 ? number.toFixed(2) : number.toFixed(1)} s`;
}

function clock(number) {
  return `${Math.floor(number / 60)}:${String(Math.floor(number % 60)).padStart(2, "0")}`;
}

// Beginning

element("speech-form").addEventListener("submit", (event) => {
  event.preventDefault();
  speak();
});
element("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  api.useKey(element("key").value);
  element("key").value = "";
  element("key-form").hidden = true;
  (speakButton.disabled ? element("text") : speakButton).focus();
  retry();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault(); // a focused button would be pressed as well
    speak();
  }
  if (event.key === "Escape" && !stopButton.disabled) stop();
});
stopButton.addEventListener("click", stop);
playButton.addEventListener("click", togglePlay);
downloadButton.addEventListener("click", download);
position.addEventListener("input", seek);
form.watch(showCommand);
load();
