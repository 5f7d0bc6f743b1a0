import { Args, Authorized, Ctx, Field, FieldResolver, Int, ObjectType, Query, Resolver, Root } from "type-graphql";
import type { Context, ViewerContext } from "../api/context.js";
import { Count } from "../api/counted.js";
import { FirstArgs, PageInfo, pageRequest, toConnection } from "../api/relay.js";
import { User } from "../users/user.type.js";
import { decodeMentionCursor, encodeMentionCursor, type Mention } from "./mention.store.js";
import { Message } from "./message.type.js";
import type { StoredMessage } from "./stored-message.js";

@ObjectType({ description: "A message that mentions the viewer, with its cursor." })
class MentionEdge {
  @Field(() => String, { description: "The value of `after` to continue the list from here." })
  cursor!: string;

  @Field(() => Message, { description: "The message that mentions the viewer." })
  node!: Message;
}

@ObjectType({ description: "A page of messages that mention the viewer, newest first." })
class MentionConnection {
  @Field(() => [MentionEdge], { description: "The messages with their cursors." })
  edges!: MentionEdge[];

  @Field(() => [Message], { description: "The messages without cursors." })
  nodes!: Message[];

  @Field(() => PageInfo, { description: "Whether there are more pages, and the cursors of this page's ends." })
  pageInfo!: PageInfo;
}

@Resolver()
export class MentionResolver {
  @Authorized()
  @Count({ commandsPerRoom: 2, texts: 1 })
  @Query(() => MentionConnection, {
    nullable: true,
    description:
      "Messages by other users that mention the viewer as `@username`, in all rooms that the viewer is in now; newest first. `Room.unreadMentions` counts the unread ones. Error: `BAD_USER_INPUT`.",
  })
  async mentions(@Args(() => FirstArgs) args: FirstArgs, @Ctx() { viewer, mentions, work }: ViewerContext): Promise<MentionConnection> {
    const { limit, after } = pageRequest(args, "start", decodeMentionCursor);
    const page = await mentions.page(viewer.id, { first: limit, after });
    work.read(page.nodes);
    return toConnection<Mention>(page, encodeMentionCursor);
  }
}

@ObjectType({ description: "The range of a text that mentions a user." })
class MentionRange {
  @Field(() => Int, { description: "Offset of the `@` in `text`, in UTF-16 code units, as in JavaScript, Java and C#." })
  start!: number;

  @Field(() => Int, { description: "Length in UTF-16 code units, including the `@`." })
  length!: number;

  @Field(() => User, { description: "The mentioned user." })
  user!: User;
}

@Resolver(() => Message)
export class MessageMentionsResolver {
  @Count({ commands: 2, entries: 5 })
  @FieldResolver(() => [User], { description: "Users in the room whom the message mentions as `@username`; at most 20." })
  async mentions(@Root() message: StoredMessage, @Ctx() { load, mentions }: Context): Promise<User[]> {
    return Promise.all((await mentions.of(message)).map((id) => load.user.load(id)));
  }

  @Count({ commands: 2, entries: 5, texts: 1 }) // the text is searched
  @FieldResolver(() => [MentionRange], {
    description:
      "The ranges of `text` that mention these users, in order, for highlighting. A client does not have to parse mentions; `docs/MENTIONS.md` has the rules.",
  })
  async mentionRanges(@Root() message: StoredMessage, @Ctx() { load, mentions, work }: Context): Promise<MentionRange[]> {
    const users = await Promise.all((await mentions.of(message)).map((id) => load.user.load(id)));
    work.searched(message.text);
    return work.list(await mentions.rangesIn(message, users)).map(({ start, length, userId }) => ({
      start,
      length,
      user: users.find(({ id }) => id === userId) as User,
    }));
  }
}
