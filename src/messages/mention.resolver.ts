import { Args, Authorized, Ctx, Field, FieldResolver, Int, ObjectType, Query, Resolver, Root } from "type-graphql";
import type { Context, ViewerContext } from "../context.js";
import { Count } from "../counted.js";
import { FirstArgs, PageInfo, pageRequest, toConnection } from "../relay.js";
import { User } from "../users/user.type.js";
import { decodeMentionCursor, encodeMentionCursor, type Mention } from "./mention.store.js";
import { Message } from "./message.type.js";
import type { StoredMessage } from "./stored-message.js";

@ObjectType({ description: "A mention's place among the viewer's." })
class MentionEdge {
  @Field(() => String, { description: "Give it as `after` to go on from here." })
  cursor!: string;

  @Field(() => Message, { description: "The message that mentions the viewer." })
  node!: Message;
}

@ObjectType({ description: "A page of messages that mention the viewer, the newest first." })
class MentionConnection {
  @Field(() => [MentionEdge], { description: "The messages with their cursors." })
  edges!: MentionEdge[];

  @Field(() => [Message], { description: "The messages alone." })
  nodes!: Message[];

  @Field(() => PageInfo, { description: "Where this page stands." })
  pageInfo!: PageInfo;
}

@Resolver()
export class MentionResolver {
  @Authorized()
  @Count({ commandsPerRoom: 2, texts: 1 })
  @Query(() => MentionConnection, {
    nullable: true,
    description:
      "Messages of others that mention the viewer as `@username`, in all rooms that they are in now, the newest first. `Room.unreadMentions` counts those that are unread. Error: `BAD_USER_INPUT`.",
  })
  async mentions(@Args(() => FirstArgs) args: FirstArgs, @Ctx() { viewer, mentions, work }: ViewerContext): Promise<MentionConnection> {
    const { limit, after } = pageRequest(args, "start", decodeMentionCursor);
    const page = await mentions.page(viewer.id, { first: limit, after });
    work.read(page.nodes);
    return toConnection<Mention>(page, encodeMentionCursor);
  }
}

@ObjectType({ description: "Where a text mentions someone." })
class MentionRange {
  @Field(() => Int, { description: "Where its `@` stands in `text`, in UTF-16 code units, as JavaScript, Java and C# count." })
  start!: number;

  @Field(() => Int, { description: "How many code units it takes, with the `@`." })
  length!: number;

  @Field(() => User, { description: "Who is mentioned." })
  user!: User;
}

@Resolver(() => Message)
export class MessageMentionsResolver {
  @Count({ commands: 2, entries: 5 })
  @FieldResolver(() => [User], { description: "Those in the room whom it mentions as `@username`; at most 20." })
  async mentions(@Root() message: StoredMessage, @Ctx() { load, mentions }: Context): Promise<User[]> {
    return Promise.all((await mentions.of(message)).map((id) => load.user.load(id)));
  }

  @Count({ commands: 2, entries: 5, texts: 1 }) // it is searched
  @FieldResolver(() => [MentionRange], {
    description:
      "Where its text mentions them, in order: what to set off. A client needs no rules of its own; `docs/MENTIONS.md` has them.",
  })
  async mentionRanges(@Root() message: StoredMessage, @Ctx() { load, mentions, work }: Context): Promise<MentionRange[]> {
    const users = await Promise.all((await mentions.of(message)).map((id) => load.user.load(id)));
    work.searched(message.text);
    return work.list(mentions.rangesIn(message, users)).map(({ start, length, userId }) => ({
      start,
      length,
      user: users.find(({ id }) => id === userId) as User,
    }));
  }
}
