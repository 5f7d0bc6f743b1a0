import { type Named, useHasNamesake } from "../hooks/useNames";

interface Props {
  person: Named;
}

/** What someone is called, in a list; with the name to mention them by, where that is another or others are called alike. */
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

/** What tells someone from others who are called alike: a guest, the assistant, or which of several. */
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

/** The same in plain text. */
export const asText = ({ name, guest, isAssistant }: Pick<Named, "name" | "guest" | "isAssistant">): string =>
  isAssistant ? `${name} (assistant)` : guest ? `${name} (guest)` : name;
