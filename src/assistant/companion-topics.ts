/** A topic that the companion can talk about. */
export interface Topic {
  /** Phrases that match the topic, in compromise's match syntax: https://observablehq.com/@spencermountain/compromise-match-syntax */
  heard: string[];
  /** Answers for users of the page, in rotation: the first time, the second time and so on. `{name}` stands for the user's name. */
  answers: string[];
  /** Answers for people who ask about the API. */
  inApi?: string[];
}

/** Words that show that a question is about the API. */
export const asksForApi =
  "(api|graphql|graphiql|subscription|subscriptions|websocket|websockets|mutation|mutations|query|queries|schema|developer|developers|code|client|endpoint|curl|programmatically)";

/** If several topics match, the first one counts, so special topics come before general ones. */
export const topics = {
  itself: {
    heard: [
      "who are you",
      "what are you",
      "are you (a|an|the)? (bot|robot|human|person|real|ai|machine|computer|assistant|companion)",
      "(which|what) (model|ai|llm)",
      "(real|better|proper|smarter|other) (model|ai|llm|assistant)",
      "(assistant_url|assistant_model|openai|ollama|chatgpt|gpt|llm)",
      "(plug|set|hook) (you|in|up) .? model",
      "introduce yourself",
      "your name",
      "why are you (so|this)? (dumb|stupid|simple|limited)",
    ],
    answers: [
      "I am Palaver's offline companion: a small program with a few dozen answers and no language model. Nothing you write to me leaves this server. Its operator can give me a real model with the settings ASSISTANT_URL and ASSISTANT_MODEL. Any OpenAI-compatible API will do, including one on the same machine.",
      "Still the offline companion! A real model would be plugged in with ASSISTANT_URL, ASSISTANT_MODEL and, where the API wants one, ASSISTANT_KEY.",
    ],
  },
  theirName: {
    heard: ["(what|whats) is? my name", "who am i", "(remember|know) my name"],
    answers: ["I know you as {name}."],
  },
  naming: {
    heard: ["my name is .", "call me .", "^i am called ."],
    answers: ["Nice to meet you, {name}! Ask me how something works here, or for a joke.", "I will call you {name}."],
  },
  group: {
    heard: [
      "(start|create|make|open|found|begin|set) up? (a|an|my|our|another)? new? (group|room|channel)",
      "(group|room|channel) with (my|some|several|more|a)",
      "new (group|room|channel)",
      "(how|where|what|help|about|explain) * (group|groups|channels)",
    ],
    answers: [
      "Click New group above your list of rooms, give the group a name, choose the people, and create it. You own it then: open Members and settings at the top of the group to rename it, or to add and remove people.",
      "In short: New group above your list of rooms creates a group. In Members and settings, at the top of the group, you add people or leave. (Guests need an account first.)",
    ],
    inApi: [
      '`createRoom` creates a group: mutation { createRoom(name: "Hiking", memberIds: ["2", "3"]) { id } }. `addMember` adds people, `letMembersInvite` lets members add people too, `renameRoom` renames the group, and `leaveRoom` leaves it. You can try them in GraphiQL at /graphql, unless this server has turned it off.',
    ],
  },
  invite: {
    heard: [
      "(invite|add|remove|kick) (a|my|some|an|another|more)? (friend|friends|someone|somebody|people|person|member|members|user|users)",
    ],
    answers: [
      "Open the group and click Members and settings at the top. If you own the group, you can add people there, remove them, and let members add others.",
    ],
    inApi: [
      "In a group that you own, `addMember` adds someone and `removeMember` removes them. With `letMembersInvite`, every member can add people.",
    ],
  },
  private: {
    heard: [
      "(private|direct|personal) (room|rooms|chat|message|messages|talk)",
      "(talk|write|chat|message) to? (someone|somebody|one person) (in private|alone|privately|directly)?",
      "(dm|dms|pm)",
    ],
    answers: [
      "Click a person in the list of people to open a private room with them. They see it when you send the first message, and no one else can see it. To find someone, type their name into the search field above the list.",
    ],
    inApi: ["`openPrivateRoom(userId:)` returns the private room of two people. The other person sees it once it has a message."],
  },
  mention: {
    heard: ["(mention|mentions|mentioning|ping|tag)", "(get|draw|have) .? attention"],
    answers: [
      "Type @ and the beginning of a name, then choose the person from the list: “@Mary, look at this”. They see that you mentioned them. In a group, mention me to ask me something.",
    ],
    inApi: [
      "A text mentions people by @ and their username, as in “@Mary”. `Message.mentions` lists the mentioned users, `mentions` lists the messages that mention you, and `Room.unreadMentions` counts them.",
    ],
  },
  react: {
    heard: ["(react|reaction|reactions|reacting|emoji|emojis|emoticon|thumbs)"],
    answers: [
      "Point at a message, or tap it, click React, and choose an emoji. Click the emoji below the message to add yours too, or to take it back.",
    ],
    inApi: [
      'mutation { react(messageId: "…", emoji: "🎉") { id } } adds a reaction, and `on: false` takes it back. A message has at most 20 different emoji.',
    ],
  },
  edit: {
    heard: ["(edit|change|correct|fix) (a|my|the|that|this)? (message|messages|text|typo|typos|mistake)", "(edit|typo)"],
    answers: [
      "Point at your message, or tap it, click Edit, and change the text. It keeps its place, and everyone sees that it was edited. Press ↑ in the empty message field to edit your last message.",
    ],
    inApi: [
      "`editMessage(id:, text:)` changes the text of one of your messages, however old it is. The message keeps its place, and `editedAt` says when it was edited.",
    ],
  },
  delete: {
    heard: ["(delete|remove|unsend|erase) (a|my|the|that|this)? (message|messages|text)", "(delete|unsend)"],
    answers: ["Point at your message, or tap it, and click Delete. The owner of a group can delete every message in it."],
    inApi: ["`deleteMessage(id:)` deletes one of your messages. The owner of a group can delete every message in it."],
  },
  reply: {
    heard: ["(reply|replies|replying|quote|thread|threads) (to|a|in)?"],
    answers: ["Point at a message, or tap it, click Reply, and write. Your message shows the original; click it to jump there."],
    inApi: ["`send` takes `replyTo`, the id of a message in the same room. `Message.replyTo` returns that message in its current state."],
  },
  typing: {
    heard: ["(typing|writes a message|is writing)"],
    answers: ["While someone writes, their name appears below the conversation. You do not need to turn this on."],
    inApi: ["Clients call `setTyping` every few seconds while someone writes, and the others in the room subscribe to `typing`."],
  },
  unread: {
    heard: ["(unread|seen|receipt|receipts)", "(read|seen) (my|the|it|them)? (message|messages)"],
    answers: [
      "Each room in the list shows how many messages you have not read, the same on all your devices. In private rooms and small groups, “Read by” below a message shows how far the others have read.",
    ],
    inApi: [
      "`Room.unreadCount` counts what you have not read, and `markRead(messageId:)` moves your read marker. In private rooms and small groups, `ReadMoved` events say how far the others have read.",
    ],
  },
  history: {
    heard: ["(history|export|download|backup|archive)", "(old|older|earlier) messages"],
    answers: [
      "Scroll up: a room loads older messages as you go. To download a room as a file, open its address with #room=ID replaced by rooms/ID/export.",
    ],
    inApi: ["`messages` pages through a room's history. Members download a whole room as JSON Lines from /rooms/ID/export."],
  },
  guest: {
    heard: ["(guest|guests)", "(sign|log) (up|in|out)", "(register|account|password|login)"],
    answers: [
      "On the sign-in page you can sign in with your name and password, create an account, or look around as a guest, without a password. A guest can create an account later and keeps everything. Sign out is at the bottom of the list of rooms.",
    ],
    inApi: [
      "`register` creates an account, `login` opens a session, and `logout` ends it. `joinAsGuest` needs no password; its session lasts until an hour after its last use, unless the server is set up otherwise.",
    ],
  },
  api: {
    heard: [asksForApi],
    answers: [
      "Everything here is one GraphQL API at /graphql: queries and mutations over HTTP, and subscriptions over a WebSocket. Open that address in a browser: GraphiQL has operations to try and describes each field.",
    ],
  },
  palaver: {
    heard: [
      "(what|tell|explain|about|is|does) * palaver",
      "what is (this|here|that place)",
      "what (is|does) (this|the) (place|app|program|site|server|chat)",
      "where am i",
    ],
    answers: [
      "Palaver is a chat that people run on their own server: rooms, groups and private messages, live. If you were away, you get what you missed, once and in order. Ask me how to start a group, or say “help”.",
      "Palaver, in one sentence: your own chat, on your own server. (The word is an old one for a long talk.)",
    ],
    inApi: [
      "Palaver is a chat back end: rooms, groups and private messages, live, over GraphQL and Redis. Clients that were away get what they missed, once and in order.",
    ],
  },
  joke: {
    heard: ["(joke|jokes|funny|laugh|pun|puns)", "cheer me up"],
    answers: [
      "Why did the message arrive twice? It did not. The first one was only an echo of the network.",
      "A subscription walks into a bar. “The usual?” – “Yes, and everything after it.”",
      "There are two hard things in computing: naming things, cache invalidation, and off-by-one errors.",
      "I would tell you one about UDP, but you might not get it.",
      "Two servers meet. “How are you?” – “Let me ask Redis.”",
    ],
  },
  thanks: {
    heard: ["(thanks|thank you|thx|ty|cheers|merci|danke|gracias|obrigado|appreciated)"],
    answers: ["You are welcome!", "Any time.", "My pleasure, as far as a small program can have any."],
  },
  mood: {
    heard: ["how are (you|things)", "how is it going", "how do you do", "what is up", "you (ok|okay|alright|well)"],
    answers: ["All my few hundred lines are well, thank you! What would you like to know?", "As lively as a minute ago. And you?"],
  },
  praise: {
    heard: [
      "(nice|great|cool|awesome|amazing|brilliant|perfect|wonderful|lovely|impressive) .? .?$",
      "(love|like) (it|this|that|you|palaver)",
      "(well|good) (done|job|bot)",
    ],
    answers: ["Glad to hear that!", "That is kind. I will pass it on to the rest of the code."],
  },
  bye: {
    heard: [
      "(bye|goodbye|farewell|ciao|cya)",
      "see (you|ya)",
      "good night",
      "^(later|laters)$",
      "(i must|i have to|got to|gotta|going to) (go|leave)",
    ],
    answers: ["Goodbye! New messages will be here when you come back.", "See you!"],
  },
  greeting: {
    heard: [
      "^(hi|hello|hey|hiya|howdy|hola|hallo|yo|moin|bonjour|ciao|servus|greetings|welcome|ping)",
      "good (morning|day|afternoon|evening)",
      "^(👋|🙋)",
    ],
    answers: [
      "Hello! I am the offline companion of this chat. Ask me what Palaver is, how to start a group, how to mention someone, or for a joke; “help” lists what I know.",
      "Hello again!",
    ],
  },
  help: {
    heard: [
      "(help|commands|menu|options)",
      "what (can|do|could) (you|i|one) (do|know|say|ask|answer|help)?",
      "how (does|do) (this|it|that) work",
      "what now",
    ],
    answers: [
      "I am the offline companion, and I know a little about: what Palaver is · starting a group · private messages · mentions · reactions · replies · editing and deleting · unread messages · history and export · accounts and guests · the API. I also tell jokes. For more than that I need a real model: the operator of this server can plug one in with ASSISTANT_URL and ASSISTANT_MODEL.",
    ],
  },
} satisfies Record<string, Topic>;

/** Used if no topic matches. */
export const fallback: Topic = {
  heard: [],
  answers: [
    "That is beyond me: I am the offline companion, and know only how this chat works. Try “help”, or “how do I start a group?”.",
    "I have no answer to that, I am afraid. I can explain groups, mentions, reactions and more; or would you like a joke?",
    "Hm. A real model would know. The operator of this server can plug one in with ASSISTANT_URL; until then, “help” shows what I know.",
  ],
};

/** Phrases that ask for more of the previous topic. */
export const again =
  "^(and|yes|ok|okay|please)? (again|another|more|next|one more|go on|continue|and then|encore|another one|tell me more) (one|please)?$";
