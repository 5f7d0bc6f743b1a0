import { integer, onOff, setting, type ValuesOf } from "../config/setting.js";
import { isEmbedded } from "../redis/settings.js";

/** The settings of this part. */
export const settings = {
  assistant: setting<boolean>({
    env: ["ASSISTANT"],
    placeholder: "on|off",
    parse: onOff,
    fallback: false,
    derive: isEmbedded,
    fallbackSaid: "on with the embedded Redis, else off",
    help: "run an assistant worker in the server's process; `npm run worker` starts separate ones",
  }),
  assistantUsername: setting({
    env: ["ASSISTANT_USERNAME"],
    placeholder: "NAME",
    parse: username,
    fallback: "assistant",
    help: "username of the assistant's account; the first worker creates it",
  }),
  assistantRooms: setting({
    env: ["ASSISTANT_ROOMS"],
    placeholder: "N",
    parse: integer(1, 1_000),
    fallback: 8,
    help: "rooms in which one assistant worker answers at the same time",
  }),
  assistantLease: setting({
    env: ["ASSISTANT_LEASE"],
    placeholder: "SECONDS",
    parse: integer(1, 300),
    fallback: 5,
    help: "how long an assistant worker that died still holds its rooms; other workers take over after about 1.8 times as long",
  }),
  assistantPatience: setting({
    env: ["ASSISTANT_PATIENCE"],
    placeholder: "SECONDS",
    parse: integer(0, 3_600),
    fallback: 5, // the same time that requests get when a server stops
    help: "how long an assistant worker that is stopping may take to finish its answers; then another worker restarts them",
  }),
  assistantMemory: setting({
    env: ["ASSISTANT_MEMORY"],
    placeholder: "N",
    parse: integer(0, 100),
    fallback: 40,
    help: "maximum number of messages before a question that the assistant reads",
  }),
  assistantMemoryLength: setting({
    env: ["ASSISTANT_MEMORY_LENGTH"],
    placeholder: "N",
    parse: integer(0, 1_000_000),
    fallback: 12_000, // about 3,000 tokens of English
    help: "maximum number of characters of those messages; the newest messages win",
  }),
  assistantQueue: setting({
    env: ["ASSISTANT_QUEUE"],
    placeholder: "N",
    parse: integer(1, 1_000_000),
    fallback: 1_000,
    help: "rooms that may wait for the assistant; beyond that, other rooms cannot ask it",
  }),
  questionsPerMinute: setting({
    env: ["QUESTIONS_PER_MINUTE"],
    placeholder: "N",
    parse: integer(1, 10_000),
    fallback: 20,
    help: "questions that one user may ask the assistant per minute, across all servers",
  }),
  assistantUrl: setting<string | undefined>({
    env: ["ASSISTANT_URL"],
    placeholder: "URL",
    parse: endpointUrl,
    fallback: undefined,
    fallbackSaid: "none; an offline companion answers",
    help: "base URL of the OpenAI-compatible API that answers for the assistant, such as http://127.0.0.1:11434/v1",
  }),
  assistantModel: setting<string | undefined>({
    env: ["ASSISTANT_MODEL"],
    placeholder: "NAME",
    parse: (text) => text,
    fallback: undefined,
    fallbackSaid: "none; required with ASSISTANT_URL",
    check: (model, { assistantUrl }) =>
      assistantUrl !== undefined && model === undefined
        ? "is required with ASSISTANT_URL; set it to the name of the model that answers"
        : undefined,
    help: "name of the model at ASSISTANT_URL",
  }),
  assistantKey: setting<string | undefined>({
    env: ["ASSISTANT_KEY"],
    placeholder: "SECRET",
    parse: bearerToken,
    fallback: undefined,
    fallbackSaid: "none",
    help: "key for ASSISTANT_URL, sent as `Authorization: Bearer`; it is sent nowhere else and never logged",
  }),
  assistantPrompt: setting({
    env: ["ASSISTANT_PROMPT"],
    placeholder: "TEXT",
    parse: (text) => text,
    fallback:
      "You are the assistant of a chat. Be friendly, helpful and brief, as people are in a chat. Answer in the language of the question. Say so when you do not know something.",
    help: "system prompt for the model at ASSISTANT_URL; the server adds how to read the conversation",
  }),
  assistantTimeout: setting({
    env: ["ASSISTANT_TIMEOUT"],
    placeholder: "SECONDS",
    parse: integer(1, 300), // Node's fetch waits 300 s at most
    fallback: 30, // a model on a small machine writes a word per second; a reasoning model sends its thoughts
    help: "how long the model at ASSISTANT_URL may pause within an answer",
  }),
  assistantMaxTokens: setting({
    env: ["ASSISTANT_MAX_TOKENS"],
    placeholder: "N",
    parse: integer(1, 100_000),
    fallback: 1_000, // about 4,000 characters of English, the default maximum of a message
    help: "maximum length of an answer to request from the model at ASSISTANT_URL, in tokens",
  }),
};

declare module "../config/config.js" {
  interface Config extends ValuesOf<typeof settings> {}
}

/** A username that can be registered, with only characters that can be part of a mention. */
function username(text: string): string {
  if (!/^[\p{L}\p{M}\p{N}._-]{2,32}$/u.test(text)) throw new Error("is not 2 to 32 letters, digits, dots, hyphens or underscores");
  return text;
}

/** The base of an API, without a trailing slash. Problems never quote the text, as it may hold a key. */
function endpointUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new Error("is not an http:// or https:// URL");
  if (url.username !== "" || url.password !== "") throw new Error("contains a user name or password; put a key into ASSISTANT_KEY");
  url.hash = "";
  url.pathname = url.pathname.replace(/\/+$/, "");
  return url.href.replace(/\/$/, "");
}

/** A token that fits into a header. The problem does not quote it. */
function bearerToken(text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text)) throw new Error("contains a space or a character that is not ASCII; copy the key again");
  return text;
}
