// OpenAI's library for JavaScript: `with_openai.mjs URL TEXT FILE` writes the speech into the file.

import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";

// The library is in the folder of the clients' environment and not beside this file.
const OpenAI = createRequire(`${process.env.NODE_FOLDER}/`)("openai");

const [url, text, file] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused" });
const answer = await client.audio.speech.create({ model: "gpt-4o-mini-tts", voice: "coral", input: text });
await writeFile(file, Buffer.from(await answer.arrayBuffer()));
