/** Something that the companion can talk about. */
export interface Topic {
  /** What people say then, in compromise's match syntax: https://observablehq.com/@spencermountain/compromise-match-syntax */
  heard: string[];
  /** What it answers, the first time, the second time and so on, in turn. `{name}` is how the other person is called. */
  answers: string[];
}

/** Where several fit, the first one counts: what is special stands before what is general. */
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
      "I am Palaver's offline companion: a small program with a few dozen answers, and no language model. Nothing you write to me leaves this server. Whoever runs it can give me a real model with the settings ASSISTANT_URL and ASSISTANT_MODEL (any OpenAI-compatible API will do, also one on this very machine).",
      "Still the offline companion! A real model would be plugged in with ASSISTANT_URL, ASSISTANT_MODEL and, where the API wants one, ASSISTANT_KEY.",
    ],
  },
  theirName: {
    heard: ["(what|whats) is? my name", "who am i", "(remember|know) my name"],
    answers: ["To me you are {name}."],
  },
  naming: {
    heard: ["my name is .", "call me .", "^i am called ."],
    answers: ["Nice to meet you, {name}! Ask me how something works here, or for a joke.", "I shall call you {name}."],
  },
  group: {
    heard: [
      "(start|create|make|open|found|begin|set) up? (a|an|my|our|another)? new? (group|room|channel)",
      "(group|room|channel) with (my|some|several|more|a)",
      "new (group|room|channel)",
      "(how|where|what|help|about|explain) * (group|groups|channels)",
    ],
    answers: [
      'A group is made with `createRoom`: mutation { createRoom(name: "Hiking", memberIds: ["2", "3"]) { id } }. It is yours then: you can rename it, and add and remove people. You can try it in GraphiQL, which is at /graphql unless it was turned off here.',
      "Groups once more: `createRoom` makes one, `addMember` takes someone in, `letMembersInvite` lets members do so too, and `leaveRoom` is the way out.",
    ],
  },
  invite: {
    heard: [
      "(invite|add|remove|kick) (a|my|some|an|another|more)? (friend|friends|someone|somebody|people|person|member|members|user|users)",
    ],
    answers: [
      "In a group that you own, `addMember` takes someone in and `removeMember` does the opposite. With `letMembersInvite`, every member may add people.",
    ],
  },
  private: {
    heard: [
      "(private|direct|personal) (room|rooms|chat|message|messages|talk)",
      "(talk|write|chat|message) to? (someone|somebody|one person) (in private|alone|privately|directly)?",
      "(dm|dms|pm)",
    ],
    answers: [
      "Choose a person in the list of people, and you have a private room with them; in the API that is `openPrivateRoom`. They see it when you send the first message, and nobody else ever does.",
    ],
  },
  mention: {
    heard: ["(mention|mentions|mentioning|ping|tag)", "(get|draw|have) .? attention"],
    answers: [
      "Write @ and a username, as in “@Mary, look at this”: they are told, and find it among their mentions. In a group you reach me the same way.",
    ],
  },
  react: {
    heard: ["(react|reaction|reactions|reacting|emoji|emojis|emoticon|thumbs)"],
    answers: [
      'Any emoji can be put to a message: mutation { react(messageId: "…", emoji: "🎉") { id } }; the same with `on: false` takes it away again. A message takes up to 20 different ones.',
    ],
  },
  edit: {
    heard: ["(edit|change|correct|fix) (a|my|the|that|this)? (message|messages|text|typo|typos|mistake)", "(edit|typo)"],
    answers: [
      "With `editMessage` you give a message of yours another text, however old it is. It keeps its place, and everyone sees that it was edited.",
    ],
  },
  delete: {
    heard: ["(delete|remove|unsend|erase) (a|my|the|that|this)? (message|messages|text)", "(delete|unsend)"],
    answers: ["`deleteMessage` takes back a message of yours. In a group, its owner can delete any message."],
  },
  reply: {
    heard: ["(reply|replies|replying|quote|thread|threads) (to|a|in)?"],
    answers: [
      "Send with `replyTo` and the id of a message, and yours is shown as an answer to it, also when the first one is edited later.",
    ],
  },
  typing: {
    heard: ["(typing|writes a message|is writing)"],
    answers: [
      "While someone writes, their app says so every few seconds with `setTyping`, and the others in the room see it by subscribing to `typing`.",
    ],
  },
  unread: {
    heard: ["(unread|seen|receipt|receipts)", "(read|seen) (my|the|it|them)? (message|messages)"],
    answers: [
      "Each room counts what you have not read yet, on all your devices alike. In private rooms and small groups the others see how far you have read.",
    ],
  },
  history: {
    heard: ["(history|export|download|backup|archive)", "(old|older|earlier) messages"],
    answers: [
      "Rooms remember what was said: scroll up, or page with `messages`. A whole room can be downloaded as JSON Lines from /rooms/ID/export, if you are in it.",
    ],
  },
  guest: {
    heard: ["(guest|guests)", "(sign|log) (up|in|out)", "(register|account|password|login)"],
    answers: [
      "`register` makes an account, `login` opens a session, and `logout` ends it. Whoever only wants to look around uses `joinAsGuest`, which asks for no password and lasts an hour unless the server is set up otherwise.",
    ],
  },
  api: {
    heard: ["(api|graphql|graphiql|subscription|subscriptions|websocket|websockets|mutation|schema|developer|code|client)"],
    answers: [
      "Everything here is one GraphQL API at /graphql: queries and mutations over HTTP, and subscriptions over a WebSocket. Open that address in a browser: GraphiQL has operations to try, and each field says what it does.",
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
      "Palaver is a chat back end that people run themselves: rooms, groups and private messages, live, over GraphQL and Redis. Whoever was away gets what they missed, once and in order.",
      "Palaver, in one sentence: chat for your own app, on your own server. (The word is an old one for a long talk.)",
    ],
  },
  joke: {
    heard: ["(joke|jokes|funny|laugh|pun|puns)", "cheer me up"],
    answers: [
      "Why did the message arrive twice? It did not: it had a clientMessageId.",
      "A subscription walks into a bar. “The usual?” – “Yes, and everything after it.”",
      "There are two hard things in computing: naming things, cache invalidation, and off-by-one errors.",
      "I would tell you one about UDP, but you might not get it.",
      "Two servers meet. “How are you?” – “Let me ask Redis.”",
    ],
  },
  thanks: {
    heard: ["(thanks|thank you|thx|ty|cheers|merci|danke|gracias|obrigado|appreciated)"],
    answers: ["You are welcome!", "Any time.", "My pleasure. Well, as far as a small program has one."],
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
    answers: ["Glad to hear that!", "That is kind. I shall pass it on to the rest of the code."],
  },
  bye: {
    heard: [
      "(bye|goodbye|farewell|ciao|cya)",
      "see (you|ya)",
      "good night",
      "^(later|laters)$",
      "(i must|i have to|got to|gotta|going to) (go|leave)",
    ],
    answers: ["Goodbye! What is said here meanwhile waits for you.", "See you!"],
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
      "I am the offline companion, and I know a little about: what Palaver is · starting a group · private messages · mentions · reactions · replies · editing and deleting · unread messages · history and export · accounts and guests · the API. I also tell jokes. For more than that I need a real model: whoever runs this server can plug one in with ASSISTANT_URL and ASSISTANT_MODEL.",
    ],
  },
} satisfies Record<string, Topic>;

/** For what nothing above fits. */
export const fallback: Topic = {
  heard: [],
  answers: [
    "That is beyond me: I am the offline companion, and know only how this chat works. Try “help”, or “how do I start a group?”.",
    "I have no answer to that, I am afraid. I can explain groups, mentions, reactions and more; or would you like a joke?",
    "Hm. A real model would know. Whoever runs this server can plug one in with ASSISTANT_URL; until then, “help” shows what I know.",
  ],
};

/** Asks for one more of what was talked of before. */
export const again =
  "^(and|yes|ok|okay|please)? (again|another|more|next|one more|go on|continue|and then|encore|another one|tell me more) (one|please)?$";
