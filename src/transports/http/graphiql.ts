import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

/** The operations that GraphiQL shows at first, one tab each. */
const TABS = [
  `# Welcome to Palaver! Press ▶ to log in.
# A cookie keeps the session, for all tabs.

mutation LogIn {
  login(
    # or Joe, Mary, Alex
    username: "Pablo"
    password: "password123"
    cookie: true
  ) {
    expiresAt
    user { id name }
  }
}
`,
  `# Create your account.

mutation Register {
  register(
    username: "ada"
    password: "correct horse battery"
    cookie: true
  ) {
    user { id username }
  }
}
`,
  `# Press ▶ and keep it running: messages
# appear as they are sent. Resume later
# with after: ["POSITION"].

subscription Follow {
  messageAdded(roomId: "0") {
    from { name }
    text
    sentAt
    position
  }
}
`,
  `# Press ▶ twice: with the same clientMessageId
# the message is stored only once.

mutation Send {
  send(
    roomId: "0"
    text: "Hello from GraphiQL"
    clientMessageId: "try-1"
  ) {
    id
    text
    sentAt
    position
  }
}
`,
  `# The newest messages. Page back with
# before: "CURSOR", the page's startCursor.

query History {
  messages(roomId: "0", last: 20) {
    nodes {
      from { name online }
      text
      sentAt
    }
    pageInfo { hasPreviousPage startCursor }
    position
  }
}
`,
  `# Press ▶ and keep it running: all events
# of your rooms, in order within each room.

subscription Everything {
  roomEvents {
    __typename
    roomId
    position
    ... on MessageAdded { message { text from { name } } }
    ... on MessageEdited { message { text } }
    ... on MessageDeleted { messageId }
    ... on ReactionChanged { message { reactions { emoji count } } }
    ... on RoomRenamed { name }
  }
}
`,
  `query Rooms {
  me { id name }
  rooms(first: 20) {
    nodes {
      id
      kind
      name
      lastMessage { text }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`,
];

const SPEECH_BUBBLE =
  "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'><path fill='#4f46e5' d='M4 3h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2h-8l-6 5v-5H4a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2z'/></svg>";
const ICON = `data:image/svg+xml,${encodeURIComponent(SPEECH_BUBBLE)}`;

export interface CompressedPage {
  html: Buffer;
  gzipped: Buffer;
  /** Its Content-Security-Policy. */
  policy: string;
}

let page: Promise<CompressedPage> | undefined;

/** The GraphiQL page. It is self-contained: it loads nothing from elsewhere. It is created at the first call, because it is large. */
export function graphiqlPage(): Promise<CompressedPage> {
  page ??= (async () => {
    const { renderGraphiQL } = await import("@graphql-yoga/render-graphiql");
    const page = renderGraphiQL({
      title: "Palaver",
      logo: "💬",
      favicon: ICON,
      endpoint: "/graphql",
      subscriptionsProtocol: "WS",
      defaultTabs: TABS.map((query) => ({ query })),
      schemaDescription: true,
      inputValueDeprecation: true,
    });
    const html = Buffer.from(page);
    return { html, gzipped: await promisify(gzip)(html), policy: policyOf(page) };
  })();
  return page;
}

/** The page may run only its own scripts and its editors' workers, and connect only to this server. */
function policyOf(page: string): string {
  const scripts = [...page.matchAll(/<script>(.*?)<\/script>/gs)].map(([, script = ""]) => {
    return `'sha256-${createHash("sha256").update(script).digest("base64")}'`;
  });
  return [
    "default-src 'none'",
    `script-src ${scripts.join(" ")}`,
    "style-src 'unsafe-inline'",
    "worker-src blob:",
    "img-src data:",
    "font-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
