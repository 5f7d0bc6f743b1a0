import type { Logger } from "pino";
import { AssistantStore } from "../assistant/assistant.store.js";
import { ReplyFeeds } from "../assistant/reply-feeds.js";
import { RetryStore } from "../assistant/retry.store.js";
import type { Config } from "../config.js";
import { Channels } from "../delivery/channels.js";
import { FollowedRooms } from "../delivery/followed-rooms.js";
import { DemoBridge } from "../interop/bridge.js";
import { LimitedLog } from "../limited-log.js";
import { ExportStore } from "../messages/export.store.js";
import { MentionStore } from "../messages/mention.store.js";
import { MessageStore } from "../messages/message.store.js";
import { MessageChangeStore } from "../messages/message-change.store.js";
import { ReadStore } from "../messages/read.store.js";
import { alters, asTheyStand, readRoomEvent } from "../messages/room-event.js";
import { RoomEventStore } from "../messages/room-event.store.js";
import { SendLimit } from "../messages/send-limit.js";
import { PresenceStore } from "../presence/presence.store.js";
import { Transitions } from "../presence/transitions.js";
import { AssistantId } from "../redis/assistant-id.js";
import { type ConnectOptions, leniently, type RedisConnections } from "../redis/connect.js";
import { RedisDays } from "../redis/days.js";
import { RedisHealth } from "../redis/health.js";
import { keys } from "../redis/keys.js";
import { Replicas } from "../redis/replicas.js";
import { Scripts } from "../redis/scripts.js";
import { AcquaintanceStore } from "../rooms/acquaintance.store.js";
import { GroupStore } from "../rooms/group.store.js";
import { InvitationStore } from "../rooms/invitation.store.js";
import { MemberStore } from "../rooms/member.store.js";
import { RoomStore } from "../rooms/room.store.js";
import { RoomListStore } from "../rooms/room-list.store.js";
import { TypingStore } from "../rooms/typing.store.js";
import { Attempts } from "../sessions/attempts.js";
import { Passwords } from "../sessions/password.js";
import { SessionStore } from "../sessions/session.store.js";
import { SessionWatches } from "../sessions/session-watch.js";
import { BlockStore } from "../users/block.store.js";
import { DirectoryStore } from "../users/directory.store.js";
import { GuestStore } from "../users/guest.store.js";
import { UserStore } from "../users/user.store.js";
import { UserIds } from "../users/user-ids.js";
import type { Services } from "./context.js";

/** The settings for access to the Redis at `redisUrls`. */
export const accessOf = ({ redisPassword, redisSentinelPassword, redisWait }: Config): ConnectOptions => ({
  password: redisPassword,
  sentinelPassword: redisSentinelPassword,
  wait: redisWait,
});

/** The stores and shared parts of a program, whether it is a server or an assistant worker. */
export type Parts = ReturnType<typeof createStores>;

/**
 * Creates the stores and their shared parts, without a call to Redis.
 * @param name of this server or worker, unique over time
 */
export function createStores(config: Config, redis: RedisConnections, name: string, log: Logger) {
  const { commands } = redis;
  const limitedLog = new LimitedLog(log);
  const health = new RedisHealth(commands, redis.subscriber, new Replicas(redis, config.ackReplicas), name, log);
  const lenient = leniently(limitedLog);
  const assistantId = new AssistantId(commands);
  const scripts = new Scripts(commands, config.roomLogLength, () => assistantId.current);
  const channels = new Channels(redis.subscriber, log);
  const followed = new FollowedRooms(channels, scripts, readRoomEvent, { now: (events) => asTheyStand(events, messages), alters }, log);
  const userIds = new UserIds(commands, scripts, log);
  const users = new UserStore(commands, scripts, userIds, lenient, { server: name, assistantUsername: config.assistantUsername });
  const guests = new GuestStore(commands, scripts, userIds, users, lenient, config);
  const passwords = new Passwords(config.bcryptCost);
  const attempts = new Attempts(commands, config.rateLimits, config);
  const sessions = new SessionStore(scripts, { users, guests }, passwords, attempts, config);
  const watches = new SessionWatches(sessions, channels, () => health.up, log);
  const members = new MemberStore(commands, scripts, users);
  const acquaintances = new AcquaintanceStore(commands, scripts, lenient, () => assistantId.current);
  const rooms = new RoomStore(commands, followed, channels, lenient, members, acquaintances);
  const roomList = new RoomListStore(commands, rooms);
  const charge = (userId: string, count: number) => attempts.invite(userId, count);
  const invitations = new InvitationStore(commands, scripts, channels, acquaintances, charge);
  const directory = new DirectoryStore(scripts, users, name, log);
  const demos = new DemoBridge(commands, users, config.interop, name, log);
  const feeds = new ReplyFeeds(scripts, channels, rooms, log);
  const forAssistant = { assistant: assistantId, feeds, queue: config.assistantQueue };
  const assistant = new AssistantStore(commands, scripts, rooms, forAssistant, (userId) => attempts.askAssistant(userId), log);
  const mentions = new MentionStore(commands, directory, rooms, lenient, scripts, assistant, acquaintances);
  const messages = new MessageStore(
    scripts,
    new RedisDays(commands),
    new Replicas(redis, config.ackReplicas),
    rooms,
    roomList,
    lenient,
    limitedLog,
    mentions,
    assistant,
    config,
    (stored) => demos.messageStored(stored),
  );
  const reads = new ReadStore(commands, scripts, channels, rooms, mentions);
  const lifetime = { server: name, seconds: config.presenceLease, grace: config.presenceGrace };
  const presence = new PresenceStore(commands, scripts, lenient, lifetime, (transition) => demos.presenceChanged(transition));
  const { sendsPerSecond: perSecond, sendBurst: burst } = config;
  const typing = new TypingStore(commands, channels, rooms, (viewer, onEnd) => watches.start(viewer, onEnd), log);
  const services: Omit<Services, "demoAccounts"> = {
    acquaintances,
    assistant,
    blocks: new BlockStore(commands, scripts, users, acquaintances, invitations),
    groups: new GroupStore(commands, scripts, rooms, members, users, { list: roomList, acquaintances, invitations }),
    invitations,
    members,
    mentions,
    directory,
    exports: new ExportStore(messages, users, async (userId, roomId) => {
      await rooms.check(userId, roomId);
      await attempts.exportRoom(userId);
    }),
    messages,
    messageChanges: new MessageChangeStore(scripts, rooms, messages, mentions, assistant, config),
    presence,
    reads,
    rooms,
    roomList,
    retries: new RetryStore(rooms, messages, assistant),
    roomEvents: new RoomEventStore(followed, rooms, reads),
    sendLimit: config.rateLimits ? new SendLimit(scripts, keys.sends, { perSecond, burst }) : undefined,
    markLimit: config.rateLimits ? new SendLimit(scripts, keys.marks, { perSecond, burst }) : undefined,
    sessions,
    transitions: new Transitions(commands, channels, log),
    typing,
    users,
    readiness: () => health.check(),
  };
  /** Stops all timers, sweeps and watches. */
  const close = async () => {
    health.close();
    typing.close();
    feeds.close();
    await Promise.all([directory.stop(), users.names.stop()]);
    await userIds.stop();
    watches.close();
    followed.close();
    assistantId.stop();
  };
  return {
    services,
    guests,
    health,
    userIds,
    assistantId,
    scripts,
    lenient,
    limitedLog,
    followed,
    passwords,
    watches,
    demos,
    lifetime,
    close,
  };
}
