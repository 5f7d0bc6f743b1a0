import { GraphQLDateTime } from "graphql-scalars";
import { Field, ID, ObjectType } from "type-graphql";
import { User } from "../users/user.type.js";

@ObjectType({ description: "A login: keep its token as secret as a password." })
export class Session {
  @Field(() => ID, { description: "Names the login, in `sessions` and for `endSession`; it stays when the token is refreshed." })
  id!: string;

  @Field(() => String, {
    description:
      "Send it as `Authorization: Bearer …`, or in `connectionParams.authorization` of a WebSocket. Empty where it is kept in the browser's cookie.",
  })
  token!: string;

  @Field(() => GraphQLDateTime, {
    description:
      "When it ends if it is not used. Each operation prolongs it, over HTTP or a socket, and so does a subscription while it runs; an open socket alone does not. However much it is used, it ends some time after the login (90 days, unless the server is set up otherwise).",
  })
  expiresAt!: Date;

  @Field(() => User, { description: "Whose session it is." })
  user!: User;
}

@ObjectType({ description: "A login of the user's own, as `sessions` lists it." })
export class OpenSession {
  @Field(() => ID, { description: "Give it to `endSession`." })
  id!: string;

  @Field(() => GraphQLDateTime, { description: "When the user logged in." })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { description: "When it was last used, to the minute." })
  lastSeenAt!: Date;

  @Field(() => GraphQLDateTime, { description: "When it ends if it is not used." })
  expiresAt!: Date;

  @Field(() => Boolean, { description: "It is the session that asks." })
  current!: boolean;
}
