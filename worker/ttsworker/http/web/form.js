// The form: text, voice, language and speed, and what depends on them while they change.

import { example } from "./examples.js";

const field = (id) => document.getElementById(id);
const text = field("text"), voice = field("voice"), language = field("language"), speed = field("speed");

let limit = Infinity;
let voiceLanguages = new Map();
let shownExample = null;

/** Offer the model's voices and languages, and an example in the first voice's language. */
export function fill(voices, { languages, max_text_length: longest }) {
  limit = longest;
  voiceLanguages = new Map(voices.map(({ id, language: tag }) => [id, tag ?? ""]));
  voice.replaceChildren(...grouped(voices));
  voice.disabled = false;
  language.replaceChildren(...languages.map((tag) => new Option(languageName(tag), tag)));
  field("language-choice").hidden = languages.length < 2;
  followVoice();
}

/** The request as it is in the form now. */
export function wanted() {
  const chosen = { input: text.value, voice: voice.value, speed: chosenSpeed() };
  return language.options.length > 1 ? { ...chosen, language: language.value } : chosen;
}

/** The same request as a command line; a key would be taken from the shell's API_KEY. */
export function shellCommand(needsKey) {
  const quoted = (words) => `'${words.replaceAll("'", "'\\''")}'`;
  return [
    "curl -o speech.wav -H 'Content-Type: application/json'",
    ...(needsKey ? ['-H "Authorization: Bearer $API_KEY"'] : []),
    `-d ${quoted(JSON.stringify({ ...wanted(), response_format: "wav" }))}`,
    new URL("v1/audio/speech", document.baseURI),
  ].join(" \\\n  ");
}

/** Call `onChange` after every change, with what depends on it brought up to date. */
export function watch(onChange) {
  voice.addEventListener("change", followVoice);
  field("speech-form").addEventListener("input", () => {
    update();
    onChange();
  });
  update();
}

function update() {
  const shown = `${chosenSpeed()}×`;
  field("speed-shown").textContent = shown;
  speed.setAttribute("aria-valuetext", shown);
  const length = [...text.value].length; // characters as the worker counts them, not UTF-16
  const tooMany = length - limit;
  const all = limit === Infinity ? "" : ` of ${limit.toLocaleString("en")}`;
  field("count").textContent = `${length.toLocaleString("en")}${all} characters` + (tooMany > 0 ? `, ${tooMany} too many` : "");
  field("count").classList.toggle("error", tooMany > 0);
  text.setAttribute("aria-invalid", tooMany > 0);
}

function chosenSpeed() {
  return Number((2 ** speed.valueAsNumber).toFixed(2));
}

/** The text's language is the voice's; an example that nobody has changed changes with it. */
function followVoice() {
  const tag = voiceLanguages.get(voice.value) ?? "";
  text.lang = tag;
  if ([...language.options].some(({ value }) => value === tag)) language.value = tag;
  if (!text.value || text.value === shownExample) text.value = shownExample = example(tag);
  update();
}

/** Options, under a heading for each language where there are several. */
function grouped(voices) {
  const option = ({ id, name }) => new Option(name, id);
  const tags = [...new Set(voices.map((each) => each.language ?? ""))];
  if (tags.length < 2) return voices.map(({ id, name }) => new Option(tags[0] ? `${name} (${languageName(tags[0])})` : name, id));
  return tags.map((tag) => {
    const group = document.createElement("optgroup");
    group.label = languageName(tag) || "Other";
    group.append(...voices.filter((each) => (each.language ?? "") === tag).map(option));
    return group;
  });
}

function languageName(tag) {
  try {
    return new Intl.DisplayNames("en", { type: "language" }).of(tag.replaceAll("_", "-"));
  } catch (error) {
    if (error instanceof RangeError) return tag; // a model's own name for a language
    throw error;
  }
}
