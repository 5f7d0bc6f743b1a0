import { promisify } from "node:util";
import { gzip } from "node:zlib";

/** The operations that GraphiQL opens with, one tab each. */
const TABS = [
  `# Welcome to Palaver. Press ▶ to log in as one of the demo accounts: Pablo, Joe, Mary, Alex.
# Then put the token into the Headers pane below, in every tab that needs it:
#   { "Authorization": "Bearer <token>" }

mutation LogIn {
  login(username: "Pablo", password: "password123") {
    token
    expiresAt
    user { id name }
  }
}

# Or make an account of your own.
mutation Register {
  register(username: "ada", password: "correct horse battery") {
    token
    user { id username }
  }
}
`,
  `# Press ▶ and leave it running: messages appear as they are sent.
# With \`after: ["<position>"]\` it continues where another one stopped.

subscription Follow {
  messageAdded(roomId: "0") {
    from { name }
    text
    sentAt
    position
  }
}
`,
  `# Send it again with the same clientMessageId: it is stored once.

mutation Send {
  send(roomId: "0", text: "Hello from GraphiQL", clientMessageId: "try-1") {
    id
    sentAt
    position
  }
}
`,
  `# The newest messages of the general room. Page back with \`before: "<startCursor>"\`.

query History {
  messages(roomId: "0", last: 20) {
    nodes { from { name online } text sentAt }
    pageInfo { hasPreviousPage startCursor }
    position
  }
}

query Rooms {
  me { id name }
  rooms {
    id
    kind
    name
    lastMessage { text }
  }
}
`,
];

export interface CompressedPage {
  html: Buffer;
  gzipped: Buffer;
}

let page: Promise<CompressedPage> | undefined;

/** The GraphiQL page, whole in itself: nothing of it comes from elsewhere. Made at its first call, as it is large. */
export function graphiqlPage(): Promise<CompressedPage> {
  page ??= (async () => {
    const { renderGraphiQL } = await import("@graphql-yoga/render-graphiql");
    const html = Buffer.from(
      renderGraphiQL({
        title: "Palaver",
        endpoint: "/graphql",
        subscriptionsProtocol: "WS",
        defaultTabs: TABS.map((query) => ({ query })),
        defaultEditorToolsVisibility: "headers",
        shouldPersistHeaders: true,
        schemaDescription: true,
        inputValueDeprecation: true,
      }),
    );
    return { html, gzipped: await promisify(gzip)(html) };
  })();
  return page;
}
