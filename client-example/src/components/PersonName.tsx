import { type Named, useHasNamesake } from "../hooks/useNames";

interface Props {
  person: Named;
}

/** A person's name in a list, with the username to mention them by if it differs or other names look alike. */
export function PersonName({ person }: Props) {
  const { name, username, guest, isAssistant } = person;
  const hasNamesake = useHasNamesake(person);
  return (
    <span className="ellipsis">
      <bdi>{name}</bdi> <Kind person={person} />
      {!guest && !isAssistant && (hasNamesake || username !== name) && <span className="quiet">@{username}</span>}
    </span>
  );
}

/** Distinguishes a person from others with similar names: a guest, the assistant, or the username. */
export function Marks({ person }: Props) {
  const hasNamesake = useHasNamesake(person);
  return (
    <>
      <Kind person={person} />
      {hasNamesake && !person.guest && !person.isAssistant && <span className="quiet ellipsis">@{person.username}</span>}
    </>
  );
}

function Kind({ person }: Props) {
  const hasNamesake = useHasNamesake(person);
  if (person.isAssistant) return <span className="tag">assistant</span>;
  if (!person.guest) return null;
  return <span className="tag">guest{hasNamesake && ` ${person.id}`}</span>;
}

/** A person's name and kind as plain text. */
export const asText = ({ name, guest, isAssistant }: Pick<Named, "name" | "guest" | "isAssistant">): string =>
  isAssistant ? `${name} (assistant)` : guest ? `${name} (guest)` : name;
