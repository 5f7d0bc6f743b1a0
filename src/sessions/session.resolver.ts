import { Arg, Args, ArgsType, Authorized, Ctx, Field, Mutation, Resolver } from "type-graphql";
import type { Context, ViewerContext } from "../context.js";
import type { StartedSession } from "./session.store.js";
import { Session } from "./session.type.js";

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

@Resolver()
export class SessionResolver {
  @Mutation(() => Session, { description: "Make an account and log into it. Errors: `USERNAME_TAKEN`, `BAD_USER_INPUT`." })
  async register(@Args(() => RegisterArgs) registration: RegisterArgs, @Ctx() context: Context): Promise<Session> {
    return withUser(await context.sessions.register(registration), context);
  }

  @Mutation(() => Session, { description: "Log in. Error: `INVALID_CREDENTIALS`, without telling which of the two was wrong." })
  async login(
    @Arg("username", () => String, { description: "The exact username." }) username: string,
    @Arg("password", () => String, { description: "The account's password." }) password: string,
    @Ctx() context: Context,
  ): Promise<Session> {
    return withUser(await context.sessions.login(username, password), context);
  }

  @Authorized()
  @Mutation(() => Boolean, { description: "End this session; its token is worth nothing from then on. Always true." })
  async logout(
    @Arg("everywhere", () => Boolean, { nullable: true, defaultValue: false, description: "End all of the user's sessions." }) everywhere:
      | boolean
      | null,
    @Ctx() { viewer, sessions }: ViewerContext,
  ): Promise<boolean> {
    await sessions.end(viewer, everywhere ?? false);
    return true;
  }
}

async function withUser({ token, expiresAt, userId }: StartedSession, { load }: Context): Promise<Session> {
  return { token, expiresAt, user: await load.user.load(userId) };
}
