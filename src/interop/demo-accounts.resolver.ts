import { Ctx, FieldResolver, Resolver } from "type-graphql";
import type { Context } from "../api/context.js";
import { ServerInfo } from "../api/server-info.js";

@Resolver(() => ServerInfo)
export class DemoAccountsResolver {
  @FieldResolver(() => [String], {
    description:
      "Usernames of the demo accounts that accept the demo apps' well-known password, as found when the server started. Empty if there are none, and always if `DEMO_DATA` is off.",
  })
  demoAccounts(@Ctx() { demoAccounts }: Context): string[] {
    return demoAccounts.offered;
  }
}
