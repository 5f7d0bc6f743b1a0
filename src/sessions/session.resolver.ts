import { Arg, Args, ArgsType, Authorized, Ctx, Field, ID, Mutation, Query, Resolver } from "type-graphql";
import type { Caller, Context, ViewerContext } from "../context.js";
import { Count } from "../counted.js";
import { badInput } from "../errors.js";
import { OpenToAll } from "../open-to-all.js";
import { NotRepeatable, Repeatable } from "../repeatable.js";
import type { StartedSession, Viewer } from "./session.store.js";
import { OpenSession, Session } from "./session.type.js";

const ABOUT_COOKIE =
  "Keep the token in a cookie of the browser, out of reach of the page's scripts, instead of giving it in the answer. Over HTTP only.";

@ArgsType()
class CookieArgs {
  @Field(() => Boolean, { nullable: true, defaultValue: false, description: ABOUT_COOKIE })
  cookie?: boolean | null;
}

@ArgsType()
class RegisterArgs extends CookieArgs {
  @Field(() => String, {
    description:
      "2 to 32 letters, digits, dots, dashes or underscores. It must not look like another one (letter case, look-alike characters), nor like `assistant`, `system`, `admin`, `everyone` or `here`.",
  })
  username!: string;

  @Field(() => String, {
    description: "At least 8 characters, at most 72 bytes in UTF-8, and not easy to guess: not common, not a pattern, not the user's name.",
  })
  password!: string;

  @Field(() => String, {
    nullable: true,
    description: "What others see, at most 64 characters; the username if left out. It cannot be the assistant's, or look like it.",
  })
  name?: string | null;

  @Field(() => String, { nullable: true, description: "Shown to nobody else." })
  email?: string | null;
}

@ArgsType()
class LoginArgs extends CookieArgs {
  @Field(() => String, { description: "The username, in any letter case and Unicode form." })
  username!: string;

  @Field(() => String, { description: "The account's password." })
  password!: string;
}

@ArgsType()
class GuestArgs extends CookieArgs {
  @Field(() => String, { description: "What others see, at most 64 characters. It cannot be the assistant's, or look like it." })
  name!: string;
}

@Resolver()
export class SessionResolver {
  @OpenToAll()
  @Count({ commands: 100 })
  @Query(() => OpenSession, {
    nullable: true,
    description:
      "The session that asks; null where there is none. A page whose token is in the browser's cookie learns from it how it stands.",
  })
  async session(@Ctx() { viewer, sessions }: Context): Promise<OpenSession | null> {
    return viewer && ((await sessions.list(viewer)).find(({ current }) => current) ?? null);
  }

  @Authorized()
  @Count({ commands: 100 })
  @Query(() => [OpenSession], { nullable: true, description: "The sessions of this session's user, the one used last first." })
  sessions(@Ctx() { viewer, sessions }: ViewerContext): Promise<OpenSession[]> {
    return sessions.list(viewer);
  }

  @OpenToAll()
  @NotRepeatable("Log in: if that works, the account was made.")
  @Mutation(() => Session, {
    nullable: true,
    description:
      "Make an account and log into it. A guest who asks becomes that account: they keep their id, rooms and history, the old token ends as in `refreshSession`, and their name stays where no other is given. Errors: `USERNAME_TAKEN`, `BAD_USER_INPUT`, `RATE_LIMITED`.",
  })
  register(@Args(() => RegisterArgs) { cookie, ...registration }: RegisterArgs, @Ctx() context: Context): Promise<Session> {
    const { viewer, sessions, caller } = context;
    if (!viewer?.guest) return give(cookie, context, () => sessions.register(registration, caller.address));
    const become = () => sessions.registerGuest(viewer, registration, caller.address);
    return give(cookie || caller.byCookie, context, () => moved(caller, become));
  }

  @OpenToAll()
  @Repeatable()
  @Mutation(() => Session, {
    nullable: true,
    description:
      "Log in. Errors: `INVALID_CREDENTIALS`, without telling which of the two was wrong; `RATE_LIMITED`, after too many wrong passwords.",
  })
  login(@Args(() => LoginArgs) { cookie, username, password }: LoginArgs, @Ctx() context: Context): Promise<Session> {
    return give(cookie, context, ({ sessions, caller }) => sessions.login(username, password, caller.address));
  }

  @OpenToAll()
  @NotRepeatable("Join again if it does not matter that there may be another guest, who is never seen and ends by itself.")
  @Mutation(() => Session, {
    nullable: true,
    description:
      "A session for someone without an account. It ends when it was not used for an hour, unless the server is set up otherwise; `register` turns the guest into an account. Errors: `BAD_USER_INPUT`, `RATE_LIMITED`.",
  })
  joinAsGuest(@Args(() => GuestArgs) { cookie, name }: GuestArgs, @Ctx() context: Context): Promise<Session> {
    return give(cookie, context, ({ sessions, caller }) => sessions.joinAsGuest(name, caller.address));
  }

  @Authorized()
  @NotRepeatable("Go on with the token that you have; if it is refused, log in again.")
  @Mutation(() => Session, {
    nullable: true,
    description:
      "A new token for the same login; the old one ends, with all that it carried. Called over a socket, that socket goes on with the new token. Where the old token is in a cookie, so is the new one; ask over HTTP then.",
  })
  refreshSession(@Ctx() context: ViewerContext): Promise<Session> {
    return give(context.caller.byCookie, context, ({ viewer, sessions, caller }) => moved(caller, () => sessions.refresh(viewer)));
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Boolean, {
    nullable: true,
    description: "End this session, and the sockets and subscriptions it carried; its token is worth nothing from then on. Always true.",
  })
  async logout(
    @Arg("everywhere", () => Boolean, { nullable: true, defaultValue: false, description: "End all of the user's sessions." }) everywhere:
      | boolean
      | null,
    @Ctx() { viewer, sessions, caller }: ViewerContext,
  ): Promise<boolean> {
    await sessions.end(viewer, everywhere ?? false);
    if (caller.byCookie) caller.setCookie?.(null);
    return true;
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Boolean, {
    nullable: true,
    description: "End one of the user's own sessions, as `logout` there would. Always true. Error: `NOT_FOUND`.",
  })
  async endSession(
    @Arg("id", () => ID, { description: "Which, by its id in `sessions`." }) id: string,
    @Ctx() { viewer, sessions }: ViewerContext,
  ): Promise<boolean> {
    await sessions.endOne(viewer, id);
    return true;
  }

  @Authorized()
  @NotRepeatable("Log in with the new password, or with the old one if it is refused.")
  @Mutation(() => Boolean, {
    nullable: true,
    description:
      "Set a new password, and end all other sessions of the user. Always true. Errors: `INVALID_CREDENTIALS`, `BAD_USER_INPUT`, `FORBIDDEN` for a guest, `RATE_LIMITED`.",
  })
  async changePassword(
    @Arg("current", () => String, { description: "The password until now." }) current: string,
    @Arg("new", () => String, { description: "As for `register`." }) next: string,
    @Ctx() { viewer, sessions, caller }: ViewerContext,
  ): Promise<boolean> {
    await sessions.changePassword(viewer, { current, next }, caller.address);
    return true;
  }
}

/** A session that goes on under a new token: the socket that asks, if there is one, goes on with it. */
async function moved({ watch }: Caller, move: () => Promise<{ session: StartedSession; viewer: Viewer }>): Promise<StartedSession> {
  return (await (watch ? watch.move(move) : move())).session;
}

/** Starts a session, and gives its token in the way that was asked for. */
async function give<C extends Context>(
  cookie: boolean | null | undefined,
  context: C,
  start: (context: C) => Promise<StartedSession>,
): Promise<Session> {
  const keep = cookie ? cookieOf(context.caller) : undefined;
  const { id, token, expiresAt, userId } = await start(context);
  keep?.(token);
  const ofSession = { ...(await context.load.user.load(userId)), ofSession: true };
  return { id, token: keep ? "" : token, expiresAt, user: ofSession };
}

/** @throws ChatError BAD_USER_INPUT where the answer cannot carry a cookie */
function cookieOf({ setCookie }: Caller): (token: string) => void {
  if (!setCookie) throw badInput("cookie", "cannot be set over a WebSocket. Ask over HTTP.");
  return setCookie;
}
