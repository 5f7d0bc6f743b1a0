import type { IncomingMessage } from "node:http";
import type { FastifyInstance } from "fastify";
import type { GraphQLError } from "graphql";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Stores } from "./api/context.js";
import type { LoaderTable } from "./api/create-context.js";
import type { Right } from "./api/rights.js";
import type { RoomEventKind, RoomEventRecord } from "./api/room-event.js";
import type { Doorkeeper, SessionWatch, Viewer } from "./api/sessions.js";
import type { Config } from "./config/config.js";
import type { SettingTable } from "./config/setting.js";
import type { Channels } from "./log/channels.js";
import type { FollowedRooms } from "./log/followed-rooms.js";
import type { RoomScripts } from "./log/room-scripts.js";
import type { Lenient, RedisClient, RedisConnections } from "./redis/connect.js";
import type { RedisHealth } from "./redis/health.js";
import type { RoomId } from "./util/ids.js";
import type { LimitedLog } from "./util/limited-log.js";

/** What all features build on: one server's, or one worker's, access to Redis and to the logs of rooms. */
export interface Platform {
  config: Config;
  /** The name of this server or worker, unique over time. */
  name: string;
  redis: RedisConnections;
  commands: RedisClient;
  scripts: RoomScripts;
  /** Reads keys that other programs may have given another type. */
  lenient: Lenient;
  /** The keys of a room, of all features. They share a slot. */
  keysOfRoom: (roomId: RoomId) => string[];
  channels: Channels;
  followed: FollowedRooms<RoomEventRecord>;
  health: RedisHealth;
  log: Logger;
  limitedLog: LimitedLog;
}

/** Ends what a feature has started. */
export type Stop = () => Promise<unknown>;

/** A GraphQL class: a resolver, or an object type that only its interface refers to. */
// biome-ignore lint/complexity/noBannedTypes: type-graphql's own type
export type GraphQLClass = Function;

/**
 * Everything that a feature adds to Palaver. `features.ts` lists the features; a feature may use those listed before it, and no other file
 * names it.
 */
export interface Feature {
  readonly name: string;
  readonly settings?: SettingTable;
  /** The folder of its scripts. */
  readonly lua?: URL;
  /** Its keys of a room, in the slot of the room's log. They are deleted with a private room. */
  keysOfRoom?(roomId: RoomId): string[];
  /** Creates its stores, without a call to Redis. `made` has the stores of the features before it. */
  stores?(platform: Platform, made: Stores): Partial<Stores>;
  readonly loaders?: Partial<LoaderTable>;
  readonly resolvers?: readonly GraphQLClass[];
  /** What its members may do in a room, by their role. */
  readonly rights?: readonly Right[];
  /** The kinds of events that it adds to the logs of rooms. */
  readonly events?: readonly RoomEventKind[];
  /** Past events as a subscriber that resumes now gets them; the same objects where nothing has changed since. */
  hindsight?(events: readonly RoomEventRecord[], stores: Stores): Promise<readonly RoomEventRecord[]>;
  /** Its part of what transports ask about their clients. */
  doorkeeper?(stores: Stores): Partial<Doorkeeper>;
  /** Adds HTTP routes. */
  routes?(app: FastifyInstance, stores: Stores, gate: HttpGate): void;
  metrics?(registry: Registry, stores: Stores): void;
  /** Starts what the feature does by itself in every process. What it returns is called when the process stops, in reverse order. */
  start?(platform: Platform, stores: Stores): Promise<Stop | undefined>;
  /** The same in servers only. */
  serve?(platform: Platform, stores: Stores): Promise<Stop | undefined>;
  /** Called when all features of a server have started. */
  ready?(platform: Platform, stores: Stores): void;
  /** Lines about the feature for the operator, printed when the server has started. */
  welcome?(config: Config, stores: Stores): string[];
  /** Ends what its stores do by themselves. Called last, when everything that started has stopped. */
  close?(stores: Stores): Promise<void>;
}

/** What the HTTP routes of features need to serve only whom they should. */
export interface HttpGate {
  /**
   * The viewer of a request.
   * @throws ChatError UNAUTHENTICATED
   */
  authenticate(request: IncomingMessage): Promise<Viewer>;
  /** Calls `onEnd` when the session of a response that takes long has ended. */
  watch(viewer: Viewer, onEnd: () => void): SessionWatch;
  /** Turns an error into one that clients may see. */
  mask: (error: unknown) => GraphQLError;
}
