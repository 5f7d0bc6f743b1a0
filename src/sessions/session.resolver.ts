import { Arg, Args, ArgsType, Authorized, Ctx, Field, ID, Mutation, Query, Resolver } from "type-graphql";
import type { Context, ViewerContext } from "../context.js";
import type { StartedSession } from "./session.store.js";
import { OpenSession, Session } from "./session.type.js";

@ArgsType()
class RegisterArgs {
  @Field(() => String, { description: "2 to 32 letters, digits, dots, dashes or underscores; letter case counts." })
  username!: string;

  @Field(() => String, { description: "At least 8 characters, at most 72 bytes in UTF-8." })
  password!: string;

  @Field(() => String, { nullable: true, description: "What others see, at most 64 characters; the username if left out." })
  name?: string | null;

  @Field(() => String, { nullable: true, description: "Shown to nobody else." })
  email?: string | null;
}

@ArgsType()
class LoginArgs {
  @Field(() => String, { description: "The exact username." })
  username!: string;

  @Field(() => String, { description: "The account's password." })
  password!: string;
}

@ArgsType()
class GuestArgs {
  @Field(() => String, { description: "What others see, at most 64 characters." })
  name!: string;
}

@Resolver()
export class SessionResolver {
  @Authorized()
  @Query(() => [OpenSession], { description: "The sessions of this session's user, the one used last first." })
  sessions(@Ctx() { viewer, sessions }: ViewerContext): Promise<OpenSession[]> {
    return sessions.list(viewer);
  }

  @Mutation(() => Session, {
    description: "Make an account and log into it. Errors: `USERNAME_TAKEN`, `BAD_USER_INPUT`.",
  })
  register(@Args(() => RegisterArgs) registration: RegisterArgs, @Ctx() context: Context): Promise<Session> {
    return give(context, ({ sessions }) => sessions.register(registration));
  }

  @Mutation(() => Session, {
    description: "Log in. Errors: `INVALID_CREDENTIALS`, without telling which of the two was wrong.",
  })
  login(@Args(() => LoginArgs) { username, password }: LoginArgs, @Ctx() context: Context): Promise<Session> {
    return give(context, ({ sessions }) => sessions.login(username, password));
  }

  @Mutation(() => Session, {
    description:
      "A session for someone without an account: it cannot be renewed and ends an hour later unless the server is set up otherwise. Errors: `BAD_USER_INPUT`.",
  })
  joinAsGuest(@Args(() => GuestArgs) { name }: GuestArgs, @Ctx() context: Context): Promise<Session> {
    return give(context, ({ sessions }) => sessions.joinAsGuest(name));
  }

  @Authorized()
  @Mutation(() => Session, {
    description:
      "A new token for the same login; the old one ends, with all that it carried. Called over a socket, that socket goes on with the new token. Errors: `FORBIDDEN` for a guest.",
  })
  refreshSession(@Ctx() context: ViewerContext): Promise<Session> {
    return give(context, async ({ viewer, sessions, caller: { watch } }) => {
      const refresh = () => sessions.refresh(viewer);
      return (await (watch ? watch.move(refresh) : refresh())).session;
    });
  }

  @Authorized()
  @Mutation(() => Boolean, {
    description: "End this session, and the sockets and subscriptions it carried; its token is worth nothing from then on. Always true.",
  })
  async logout(
    @Arg("everywhere", () => Boolean, { nullable: true, defaultValue: false, description: "End all of the user's sessions." }) everywhere:
      | boolean
      | null,
    @Ctx() { viewer, sessions }: ViewerContext,
  ): Promise<boolean> {
    await sessions.end(viewer, everywhere ?? false);
    return true;
  }

  @Authorized()
  @Mutation(() => Boolean, { description: "End one of the user's own sessions, as `logout` there would. Always true. Error: `NOT_FOUND`." })
  async endSession(
    @Arg("id", () => ID, { description: "Which, by its id in `sessions`." }) id: string,
    @Ctx() { viewer, sessions }: ViewerContext,
  ): Promise<boolean> {
    await sessions.endOne(viewer, id);
    return true;
  }

  @Authorized()
  @Mutation(() => Boolean, {
    description:
      "Set a new password, and end all other sessions of the user. Always true. Errors: `INVALID_CREDENTIALS`, `BAD_USER_INPUT`, `FORBIDDEN` for a guest.",
  })
  async changePassword(
    @Arg("current", () => String, { description: "The password until now." }) current: string,
    @Arg("new", () => String, { description: "At least 8 characters, at most 72 bytes in UTF-8." }) next: string,
    @Ctx() { viewer, sessions }: ViewerContext,
  ): Promise<boolean> {
    await sessions.changePassword(viewer, { current, next });
    return true;
  }
}

/** Starts a session, and gives it with its user. */
async function give<C extends Context>(context: C, start: (context: C) => Promise<StartedSession>): Promise<Session> {
  const { userId, ...session } = await start(context);
  return { ...session, user: await context.load.user.load(userId) };
}
