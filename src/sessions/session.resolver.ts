import { Arg, Args, ArgsType, Authorized, Ctx, Field, ID, Mutation, Query, Resolver } from "type-graphql";
import type { Caller, Context, ViewerContext } from "../api/context.js";
import { Count } from "../api/counted.js";
import { OpenToAll } from "../api/open-to-all.js";
import { NotRepeatable, Repeatable } from "../api/repeatable.js";
import type { Viewer } from "../api/sessions.js";
import { badInput } from "../util/errors.js";
import type { StartedSession } from "./session.store.js";
import { OpenSession, Session } from "./session.type.js";

const ABOUT_COOKIE =
  "Whether to put the token into a browser cookie, which the page's scripts cannot read, instead of the response. Over HTTP only.";

@ArgsType()
class CookieArgs {
  @Field(() => Boolean, { nullable: true, defaultValue: false, description: ABOUT_COOKIE })
  cookie?: boolean | null;
}

@ArgsType()
class RegisterArgs extends CookieArgs {
  @Field(() => String, {
    description:
      "2 to 32 letters, digits, dots, dashes or underscores. It must not look like another username (letter case is ignored, look-alike characters are equal), nor like `assistant`, `system`, `admin`, `everyone` or `here`.",
  })
  username!: string;

  @Field(() => String, {
    description: "At least 8 characters and at most 72 bytes in UTF-8. It must not be a common password, a pattern, or the user's name.",
  })
  password!: string;

  @Field(() => String, {
    nullable: true,
    description: "The display name, at most 64 characters; the username if omitted. It must not be the assistant's name, or look like it.",
  })
  name?: string | null;

  @Field(() => String, { nullable: true, description: "The user's email address. Other users cannot see it." })
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
  @Field(() => String, { description: "The display name, at most 64 characters. It must not be the assistant's name, or look like it." })
  name!: string;
}

@Resolver()
export class SessionResolver {
  @OpenToAll()
  @Count({ commands: 100 })
  @Query(() => OpenSession, {
    nullable: true,
    description:
      "The session of this request; null without one. A page whose token is in the browser's cookie can check with it whether it is logged in.",
  })
  async session(@Ctx() { viewer, sessions }: Context): Promise<OpenSession | null> {
    return viewer && ((await sessions.list(viewer)).find(({ current }) => current) ?? null);
  }

  @Authorized()
  @Count({ commands: 100 })
  @Query(() => [OpenSession], { nullable: true, description: "The viewer's sessions, most recently used first." })
  sessions(@Ctx() { viewer, sessions }: ViewerContext): Promise<OpenSession[]> {
    return sessions.list(viewer);
  }

  @OpenToAll()
  @NotRepeatable("Log in: if that works, the account was made.")
  @Mutation(() => Session, {
    nullable: true,
    description:
      "Makes an account and logs in to it. A guest who calls this becomes the account: they keep their id, rooms and history, and their name if `name` is omitted; the old token ends as in `refreshSession`. Errors: `USERNAME_TAKEN`, `BAD_USER_INPUT`, `RATE_LIMITED`.",
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
      "Logs in. Errors: `INVALID_CREDENTIALS`, the same for an unknown username and a wrong password; `RATE_LIMITED`, after too many wrong passwords.",
  })
  login(@Args(() => LoginArgs) { cookie, username, password }: LoginArgs, @Ctx() context: Context): Promise<Session> {
    return give(cookie, context, ({ sessions, caller }) => sessions.login(username, password, caller.address));
  }

  @OpenToAll()
  @NotRepeatable("Join again. The first call may have made a guest, who then stays unused and is removed after a while.")
  @Mutation(() => Session, {
    nullable: true,
    description:
      "Makes a guest, who has no account, and starts a session. It ends after an hour without use, unless the server is configured otherwise; `register` turns the guest into an account. Errors: `BAD_USER_INPUT`, `RATE_LIMITED`.",
  })
  joinAsGuest(@Args(() => GuestArgs) { cookie, name }: GuestArgs, @Ctx() context: Context): Promise<Session> {
    return give(cookie, context, ({ sessions, caller }) => sessions.joinAsGuest(name, caller.address));
  }

  @Authorized()
  @NotRepeatable("Continue with the token that you have; if it is refused, log in again.")
  @Mutation(() => Session, {
    nullable: true,
    description:
      "Replaces the token of this login. The old token ends, with the sockets and subscriptions that it carried. If this is called over a socket, that socket continues with the new token. If the old token is in a cookie, the new one is put there too; call this over HTTP in that case.",
  })
  refreshSession(@Ctx() context: ViewerContext): Promise<Session> {
    return give(context.caller.byCookie, context, ({ viewer, sessions, caller }) => moved(caller, () => sessions.refresh(viewer)));
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Boolean, {
    nullable: true,
    description: "Ends this session, with the sockets and subscriptions that it carried. Its token is invalid from then on. Always true.",
  })
  async logout(
    @Arg("everywhere", () => Boolean, {
      nullable: true,
      defaultValue: false,
      description: "Whether to end all of the viewer's sessions.",
    })
    everywhere: boolean | null,
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
    description: "Ends one of the viewer's sessions, like `logout` in that session. Always true. Error: `NOT_FOUND`.",
  })
  async endSession(
    @Arg("id", () => ID, { description: "The id of the session in `sessions`." }) id: string,
    @Ctx() { viewer, sessions }: ViewerContext,
  ): Promise<boolean> {
    await sessions.endOne(viewer, id);
    return true;
  }

  @Authorized()
  @NotRepeatable("Log in with the new password, or with the old one if that is refused.")
  @Mutation(() => Boolean, {
    nullable: true,
    description:
      "Sets a new password, and ends all other sessions of the viewer. Always true. Errors: `INVALID_CREDENTIALS`, `BAD_USER_INPUT`, `FORBIDDEN` for a guest, `RATE_LIMITED`.",
  })
  async changePassword(
    @Arg("current", () => String, { description: "The current password." }) current: string,
    @Arg("new", () => String, { description: "The new password, with the rules of `register`." }) next: string,
    @Ctx() { viewer, sessions, caller }: ViewerContext,
  ): Promise<boolean> {
    await sessions.changePassword(viewer, { current, next }, caller.address);
    return true;
  }
}

/** Moves a session to a new token. The calling socket, if there is one, continues with it. */
async function moved({ watch }: Caller, move: () => Promise<{ session: StartedSession; viewer: Viewer }>): Promise<StartedSession> {
  return (await (watch ? watch.move(move) : move())).session;
}

/** Starts a session, and returns its token in the requested way. */
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

/** @throws ChatError BAD_USER_INPUT if the response cannot set a cookie */
function cookieOf({ setCookie }: Caller): (token: string) => void {
  if (!setCookie) throw badInput("cookie", "cannot be set over a WebSocket. Send this operation over HTTP.");
  return setCookie;
}
