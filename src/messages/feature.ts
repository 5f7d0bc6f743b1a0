import DataLoader from "dataloader";
import type { Feature } from "../feature.js";
import { Replicas } from "../log/replicas.js";
import { RedisDays } from "../redis/days.js";
import type { RoomId } from "../util/ids.js";
import { serveExports } from "./export.js";
import { ExportStore } from "./export.store.js";
import { keysOfMessages } from "./keys.js";
import { MentionResolver, MessageMentionsResolver } from "./mention.resolver.js";
import { MentionStore } from "./mention.store.js";
import { MessageResolver, RoomMessagesResolver } from "./message.resolver.js";
import { MessageStore } from "./message.store.js";
import { MessageChangeResolver, MessageDeletedResolver, ReactionResolver } from "./message-change.resolver.js";
import { DELETE_OTHERS, MessageChangeStore } from "./message-change.store.js";
import { MessageConsumers } from "./message-consumers.js";
import { messageEvents, withCurrentMessages } from "./message-event.js";
import { NodeResolver } from "./node.resolver.js";
import type { Placed } from "./page.js";
import { RetentionSweep } from "./retention.js";
import { SendStore } from "./send.store.js";
import { settings } from "./settings.js";

declare module "../api/context.js" {
  interface Stores {
    messageConsumers: MessageConsumers;
    mentions: MentionStore;
    messages: MessageStore;
    sends: SendStore;
    messageChanges: MessageChangeStore;
    exports: ExportStore;
  }
  interface Loaders {
    message: DataLoader<string, Placed | null>;
    /** A room's newest message. */
    newest: DataLoader<RoomId, Placed | null>;
    /** The position of the event that added a message. */
    addedAt: DataLoader<string, string | null>;
  }
}

const EXPORTS = { points: 20, duration: 3_600 }; // of a room's whole history, per user and hour

/** Messages: sending, history, edits, deletions, reactions, mentions and exports. */
export const messages: Feature = {
  name: "messages",
  settings,
  lua: new URL("./lua/", import.meta.url),
  keysOfRoom: keysOfMessages,
  stores(platform, { rooms, roomList, roomEvents, users, directory, acquaintances, attempts }) {
    const { redis, commands, scripts, lenient, limitedLog, config } = platform;
    const messageConsumers = new MessageConsumers();
    const mentions = new MentionStore(commands, directory, rooms, lenient, scripts, messageConsumers, acquaintances);
    const days = new RedisDays(commands);
    const replicas = new Replicas(redis, config.ackReplicas);
    const messages = new MessageStore({ scripts, days, rooms, roomList, roomEvents, lenient, limitedLog });
    const sends = new SendStore({ scripts, days, replicas, rooms, messages, mentions, consumers: messageConsumers }, config);
    roomList.timesFrom((roomIds, load) => messages.lastSpoken(roomIds, (id) => load.newest.load(id)));
    const chargeExport = attempts.limit("export", EXPORTS);
    return {
      messageConsumers,
      mentions,
      messages,
      sends,
      messageChanges: new MessageChangeStore(scripts, rooms, messages, mentions, messageConsumers, config),
      exports: new ExportStore(messages, users, async (roomId, userId) => {
        await rooms.check(roomId, userId);
        await chargeExport(userId);
      }),
    };
  },
  loaders: {
    message: ({ stores, work }) => new DataLoader(async (ids) => work.read(await stores.messages.byIds(ids))),
    newest: ({ stores, work }) => new DataLoader(async (ids) => work.read(await stores.messages.newest(ids))),
    addedAt: ({ stores, work }) => new DataLoader(async (ids) => work.lookedUp(await stores.messages.addedAt(ids))),
  },
  resolvers: [
    MentionResolver,
    MessageMentionsResolver,
    MessageChangeResolver,
    MessageDeletedResolver,
    MessageResolver,
    NodeResolver,
    ReactionResolver,
    RoomMessagesResolver,
  ],
  rights: [DELETE_OTHERS],
  events: messageEvents,
  hindsight: (events, { messages }) => withCurrentMessages(events, messages),
  routes: serveExports,
  async serve({ commands, scripts, lenient, config, name, log }) {
    const sweep = new RetentionSweep(commands, scripts, lenient, config, name, log);
    return () => sweep.stop();
  },
};
