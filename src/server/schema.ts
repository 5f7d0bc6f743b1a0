import "reflect-metadata";
import type { GraphQLSchema } from "graphql";
import { buildSchema, type PubSub } from "type-graphql";
import { AssistantResolver, RetryResolver, UserAssistantResolver } from "../assistant/assistant.resolver.js";
import type { Context } from "../context.js";
import { refusal } from "../errors.js";
import { MentionResolver, MessageMentionsResolver } from "../messages/mention.resolver.js";
import { MessageResolver, RoomMessagesResolver } from "../messages/message.resolver.js";
import { MessageChangeResolver, MessageDeletedResolver, ReactionResolver } from "../messages/message-change.resolver.js";
import { NodeResolver } from "../messages/node.resolver.js";
import { MemberReadResolver, ReadMovedResolver, ReadResolver } from "../messages/read.resolver.js";
import { MemberJoinedResolver, MemberLeftResolver, RoomRenamedResolver } from "../messages/room-event.resolver.js";
import {
  MemberJoined,
  MemberLeft,
  MessageAdded,
  MessageDeleted,
  MessageEdited,
  ReactionChanged,
  ReadMoved,
  RoomRenamed,
} from "../messages/room-event.type.js";
import { PresenceResolver } from "../presence/presence.resolver.js";
import { GroupResolver } from "../rooms/group.resolver.js";
import { InvitationChangeResolver, InvitationResolver, RoomInvitationsResolver } from "../rooms/invitation.resolver.js";
import { MemberResolver, RoomMembersResolver } from "../rooms/member.resolver.js";
import { RoomResolver } from "../rooms/room.resolver.js";
import { TypingResolver } from "../rooms/typing.resolver.js";
import { SessionResolver } from "../sessions/session.resolver.js";
import { BlockResolver } from "../users/block.resolver.js";
import { UserResolver } from "../users/user.resolver.js";
import { ServerInfoResolver } from "./server-info.js";

/** Builds the executable schema of the API. `schema.graphql`, next to `package.json`, is its printed form. */
export function buildApi(): Promise<GraphQLSchema> {
  return buildSchema({
    resolvers: [
      ReadResolver,
      ReadMovedResolver,
      MemberReadResolver,
      MentionResolver,
      MessageMentionsResolver,
      MessageChangeResolver,
      MessageDeletedResolver,
      MessageResolver,
      NodeResolver,
      ReactionResolver,
      RoomMessagesResolver,
      PresenceResolver,
      RoomResolver,
      GroupResolver,
      RoomMembersResolver,
      InvitationResolver,
      InvitationChangeResolver,
      RoomInvitationsResolver,
      MemberResolver,
      MemberJoinedResolver,
      MemberLeftResolver,
      RoomRenamedResolver,
      SessionResolver,
      TypingResolver,
      UserResolver,
      BlockResolver,
      UserAssistantResolver,
      AssistantResolver,
      RetryResolver,
      ServerInfoResolver,
    ],
    // Only their interface refers to them.
    orphanedTypes: [MemberJoined, MemberLeft, MessageAdded, MessageDeleted, MessageEdited, ReactionChanged, ReadMoved, RoomRenamed],
    authChecker: ({ context }: { context: Context }) => {
      if (!context.forMany && !context.viewer) throw refusal("UNAUTHENTICATED");
      return true;
    },
    validate: false, // the stores validate, so that a rule holds for every caller
    pubSub: unused,
  });
}

/** type-graphql requires a PubSub as soon as there are subscriptions, but these have their own source. */
const unused: PubSub = {
  publish() {
    throw new Error("subscriptions have their own source; do not use PubSub");
  },
  subscribe() {
    throw new Error("subscriptions have their own source; do not use PubSub");
  },
};
