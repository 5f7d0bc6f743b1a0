/** What someone says in one of redis-developer's Basic Redis Chat demos. */
export interface Said {
  roomId: string;
  /** Some of them write numbers, some strings, some both. */
  from: string | number;
  text: string;
  /** Seconds since 1970. */
  date: number;
}

/** How each of the demos stores it: the member of the room's sorted set, byte for byte, and its score. */
export const demoApps: Record<string, (said: Said) => { member: string; score: number }> = {
  /** The client's object in its own order; angle brackets escaped, without semicolons. */
  "Node, live": ({ roomId, from, text, date }) => ({
    member: JSON.stringify({ roomId, message: text.replaceAll("<", "&lt").replaceAll(">", "&gt"), from, date }),
    score: date,
  }),
  "Node, seeded": ({ roomId, from, text, date }) => ({
    member: JSON.stringify({ from: Number(from), date, message: text, roomId }),
    score: date,
  }),
  "Flask, live": ({ roomId, from, text, date }) => ({
    member: pythonJson({ roomId, message: escapeHtml(text), from, date }),
    score: Math.floor(date),
  }),
  "Flask, seeded": ({ roomId, from, text, date }) => ({
    member: pythonJson({ from: Number(from), date, message: text, roomId }),
    score: Math.floor(date),
  }),
  Java: ({ roomId, from, text, date }) => ({
    member: escapeCharacters(JSON.stringify({ from: String(from), date: Math.floor(date), message: text, roomId }), /[<>&=']/g),
    score: Math.floor(date),
  }),
  ".NET, live": ({ roomId, from, text, date }) => ({
    member: JSON.stringify({ From: String(from), Date: Math.floor(date), Message: text, RoomId: roomId }),
    score: Math.floor(date),
  }),
  ".NET, seeded": ({ roomId, from, text, date }) => ({
    member: escapeCharacters(
      JSON.stringify({ From: String(from), Date: Math.floor(date), Message: text, RoomId: roomId }),
      /[<>&+'`]|[^ -~]/g,
    ),
    score: Math.floor(date),
  }),
};

/** As Python's json.dumps writes it: spaces behind commas and colons, and ASCII only. */
function pythonJson(fields: Record<string, string | number>): string {
  const pairs = Object.entries(fields).map(([name, value]) => `"${name}": ${escapeCharacters(JSON.stringify(value), /[^ -~]/g)}`);
  return `{${pairs.join(", ")}}`;
}

/** As Flask's escape does it. */
function escapeHtml(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", '"': "&quot;", "'": "&#39;", "<": "&lt;", ">": "&gt;" };
  return text.replace(/[&"'<>]/g, (character) => entities[character] as string);
}

/** Writes characters of JSON as `\u003c`, each half of a surrogate pair by itself. */
function escapeCharacters(json: string, characters: RegExp): string {
  return json.replace(characters, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
