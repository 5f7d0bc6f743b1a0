import type { Feature } from "../feature.js";
import { InvitationChangeResolver, InvitationResolver, RoomInvitationsResolver } from "./invitation.resolver.js";
import { InvitationStore } from "./invitation.store.js";

declare module "../api/context.js" {
  interface Stores {
    invitations: InvitationStore;
  }
}

const PER_HOUR = { points: 100, duration: 3_600 }; // invitations of strangers, per user

/** Invitations of strangers to groups. */
export const invitations: Feature = {
  name: "invitations",
  lua: new URL("./lua/", import.meta.url),
  stores({ commands, scripts, channels }, { acquaintances, attempts }) {
    const charge = attempts.limit("invitation", PER_HOUR);
    return { invitations: new InvitationStore(commands, scripts, channels, acquaintances, charge) };
  },
  resolvers: [InvitationResolver, InvitationChangeResolver, RoomInvitationsResolver],
};
