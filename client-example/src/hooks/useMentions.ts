import { useState } from "react";
import type { Named } from "./useNames";
import { usePeople } from "./usePeople";

export type Mentionable = Named;

const OFFERED = 6; // people; one more letter finds the others

/**
 * The people that the text's last word may mention: their names begin with the text after its `@`.
 * @param members the room's members; undefined if everyone is in the room
 */
export function useMentions(text: string, members: readonly Mentionable[] | undefined) {
  const begun = /(?<![\w.+-])[@＠]([\p{L}\p{M}\p{N}._-]{0,32})$/u.exec(text)?.[1];
  const [state, setState] = useState({ text: "", chosen: 0, isClosed: false });
  const found = usePeople(members === undefined ? (begun ?? "") : "").people;
  const { chosen, isClosed } = state.text === text ? state : { chosen: 0, isClosed: false };

  const offered = begun === undefined || isClosed ? [] : (members ?? found).filter((person) => matches(person, begun)).slice(0, OFFERED);
  const set = (next: { chosen?: number; isClosed?: boolean }) => setState({ text, chosen, isClosed, ...next });
  const complete = ({ username }: Mentionable) => `${text.slice(0, text.length - (begun ?? "").length)}${username} `;

  return {
    people: offered,
    /** The index of the person that Enter chooses. */
    chosen,
    /** The text with this person mentioned. */
    complete,
    /** @returns whether the key was for the list */
    onKey(key: string, onComplete: (person: Mentionable) => void): boolean {
      const person = offered[chosen];
      if (!person) return false;
      if (key === "ArrowDown") set({ chosen: (chosen + 1) % offered.length });
      else if (key === "ArrowUp") set({ chosen: (chosen + offered.length - 1) % offered.length });
      else if (key === "Escape") set({ isClosed: true });
      else if (key === "Enter" || key === "Tab") onComplete(person);
      else return false;
      return true;
    },
  };
}

function matches({ name, username }: Mentionable, begun: string): boolean {
  const start = fold(begun);
  return !username.includes(" ") && [username, ...name.split(" ")].some((word) => fold(word).startsWith(start));
}

/** Folds a word as the server's search does, except for rare cases. */
const fold = (word: string) =>
  word
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase();
