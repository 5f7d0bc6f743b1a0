import "reflect-metadata"; // before anything with a decorator is loaded
import { assistant } from "./assistant/feature.js";
import { blocks } from "./blocks/feature.js";
import type { Feature } from "./feature.js";
import { groups } from "./groups/feature.js";
import { guests } from "./guests/feature.js";
import { interop } from "./interop/feature.js";
import { invitations } from "./invitations/feature.js";
import { messages } from "./messages/feature.js";
import { pins } from "./pins/feature.js";
import { presence } from "./presence/feature.js";
import { reads } from "./reads/feature.js";
import { rooms } from "./rooms/feature.js";
import { sessions } from "./sessions/feature.js";
import { typing } from "./typing/feature.js";
import { users } from "./users/feature.js";

/** What Palaver is made of. Each feature may use those before it. */
export const features: readonly Feature[] = [
  users,
  sessions,
  rooms,
  invitations,
  blocks,
  messages,
  groups,
  pins,
  reads,
  typing,
  presence,
  interop,
  assistant,
  guests,
];
