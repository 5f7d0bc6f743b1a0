import type { TestClient } from "./client.js";

const OPEN = "mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }";

/** Exchanges private messages between all of these users, so that they can add each other to groups. */
export async function acquaint(...people: TestClient[]): Promise<void> {
  for (const [index, person] of people.entries()) await introduce(person, people.slice(index + 1));
}

/** Exchanges private messages between one user and each of the others. */
export async function introduce(person: TestClient, others: TestClient[]): Promise<void> {
  await Promise.all(
    others.map(async (other) => {
      const { openPrivateRoom: room } = await person.ask(OPEN, { id: other.id });
      await person.send("hello", room.id);
      await other.send("hello", room.id);
    }),
  );
}
