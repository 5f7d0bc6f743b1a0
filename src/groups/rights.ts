import type { Right } from "../api/rights.js";

const OWNER: Omit<Right, "about"> = { GENERAL: [], PRIVATE: [], GROUP: ["OWNER"] };

/** What only some members of a group may do. */
export const groupRights = {
  rename: { about: "rename the room", ...OWNER },
  letMembersInvite: { about: "decide whether members may add others", ...OWNER },
  add: { about: "add or invite others; members may, too, if the owner lets them", ...OWNER },
  remove: { about: "remove members, and withdraw invitations of others", ...OWNER },
} satisfies Record<string, Right>;
