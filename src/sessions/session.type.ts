import { GraphQLDateTime } from "graphql-scalars";
import { Field, ID, ObjectType } from "type-graphql";
import { User } from "../users/user.type.js";

@ObjectType({ description: "A login. Keep its token as secret as a password." })
export class Session {
  @Field(() => ID, { description: "The login's id in `sessions` and for `endSession`. It stays the same when the token is refreshed." })
  id!: string;

  @Field(() => String, {
    description:
      "The session's token, which clients send as `Authorization: Bearer …`, or in `connectionParams.authorization` of a WebSocket. Empty if it is in the browser's cookie.",
  })
  token!: string;

  @Field(() => GraphQLDateTime, {
    description:
      "When the session ends if it is not used. Each operation prolongs it, over HTTP or a socket, and so does a running subscription; an open socket alone does not. Even if it is used, it ends some time after the login (90 days, unless the server is configured otherwise).",
  })
  expiresAt!: Date;

  @Field(() => User, { description: "The user of the session." })
  user!: User;
}

@ObjectType({ description: "A session of the viewer, as `sessions` lists it." })
export class OpenSession {
  @Field(() => ID, { description: "The session's id, for `endSession`." })
  id!: string;

  @Field(() => GraphQLDateTime, { description: "When the user logged in." })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { description: "When the session was last used, to the minute." })
  lastSeenAt!: Date;

  @Field(() => GraphQLDateTime, { description: "When the session ends if it is not used." })
  expiresAt!: Date;

  @Field(() => Boolean, { description: "Whether it is the session of this request." })
  current!: boolean;
}
