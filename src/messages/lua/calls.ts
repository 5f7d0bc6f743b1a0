// Made from the heads of the scripts in this folder by `npm run scripts`.

declare module "../../redis/scripts.js" {
  interface ScriptCalls {
    /** Record once which users a demo app's message mentions, and publish an event for the consumers that want the message. Old messages, as in an existing database, are not for consumers. */
    mentions_note: {
      keys: "room" | "log" | "meta" | "own" | "consumed" | "mentioned";
      args: { newEpoch: string; logLength: string; name: string; users: readonly string[]; messageId: string; from: string; wanted: readonly string[] };
      result: 0 | 1 | 2;
    };
    /** Delete a message with all data about it. The caller has checked that the user may access the room. @throws ChatError NOT_A_MEMBER, NOT_FOUND, FORBIDDEN */
    message_delete: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "consumed" | "members" | "reactions" | "mentioned" | "deleted";
      args: { newEpoch: string; logLength: string; watched: boolean; user: string; roles: readonly string[]; id: string; score: string };
      result: 0 | 1;
    };
    /** Change the text of a message of the user, in its place. The caller has checked that the user may access the room. @throws ChatError NOT_A_MEMBER, NOT_FOUND, FORBIDDEN */
    message_edit: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "consumed" | "members" | "reactions" | "mentioned";
      args: { newEpoch: string; logLength: string; watched: boolean; user: string; id: string; score: string; text: string; mentions: readonly string[]; wanted: readonly string[]; edited: number | ""; quiet: readonly string[] };
      result: "CHANGED" | [member: string, score: string, reactions: string, seq: number, epoch: string, at: number, changed: 0 | 1];
    };
    /** Add or remove a user's reaction to a message. The caller has checked that the user may access the room. @throws ChatError NOT_A_MEMBER, NOT_FOUND, FORBIDDEN */
    message_react: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "consumed" | "members" | "reactions";
      args: { newEpoch: string; logLength: string; watched: boolean; user: string; id: string; score: string; emoji: string; on: boolean; most: number; listed: number };
      result: [member: string, score: string, reactions: string, seq: number, epoch: string, at: number, changed: 0 | 1] | null;
    };
    /** Add a message to a room, once, and publish its event. Moves the sender's read marker to the message. The caller has checked that the sender may write here. For a group room this script checks it again, because membership may have ended. @throws ChatError NOT_A_MEMBER, FORBIDDEN, CLIENT_MESSAGE_ID_REUSED, NOT_FOUND */
    message_send: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "consumed" | "members" | "mentioned" | "reactions" | "reads" | "sent1" | "sent2" | "sent3" | "sent4";
      args: { newEpoch: string; logLength: string; watched: boolean; roomId: string; from: string; text: string; clientId: string; firstDay: number; mentions: readonly string[]; replyTo: string; replyScore: string; historyLimit: number; historyDays: number; group: boolean; wanted: readonly string[]; quiet: readonly string[] };
      result: [day: number] | [message: string, seq: number, epoch: string, at: number, untold: number, stored: 0 | 1, first: 0 | 1];
    };
    /** Adopt the messages that a demo app wrote to a room and announced on its channel. */
    messages_adopt: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "consumed";
      args: { newEpoch: string; logLength: string; watched: boolean; heard: string; opening: boolean; order: readonly string[] };
      result: [untold: 0 | 1, unnamed: number, last: number];
    };
    /** Read both sides of a score in a room's history, and the room's position at the same moment. */
    messages_around: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "consumed" | "reactions";
      args: { newEpoch: string; logLength: string; watched: boolean; score: string; count: number; size: number };
      result: [seq: number, epoch: string, at: number, older: [flat: string[], near: string, offset: number, skipped: number], newer: [flat: string[], near: string, offset: number, skipped: number]];
    };
    /** Find messages of a room by their ids. */
    messages_find: {
      keys: "room" | "reactions";
      args: { idsAndScores: string[] };
      result: ([member: string, score: string, reactions: string] | null)[];
    };
    /** Find the positions of the events that added messages to a room. */
    messages_locate: {
      keys: "log" | "meta";
      args: { idsAndTimes: Array<string | number> };
      result: ([seq: number, epoch: string, at: number] | null)[];
    };
    /** Read a range of a room's history, and the room's position at the same moment. */
    messages_page: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "consumed" | "reactions";
      args: { newEpoch: string; logLength: string; watched: boolean; near: string; far: string; direction: "OLDER" | "NEWER"; offset: number; count: number; size: number };
      result: [seq: number, epoch: string, at: number, behind: number, range: [flat: string[], near: string, offset: number, skipped: number]];
    };
    /** Trim a room's history to its limits, one portion per call. */
    room_trim: {
      keys: "room" | "log" | "meta" | "foreign" | "own" | "consumed" | "reactions" | "mentioned";
      args: { newEpoch: string; logLength: string; watched: boolean; historyLimit: number; historyDays: number; most: number };
      result: number;
    };
  }
}

export {};
