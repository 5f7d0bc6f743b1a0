interface Props {
  person: { name: string; username: string; guest?: boolean; isAssistant?: boolean };
}

/** What someone is called; with the name to mention them by, where that is another. */
export function PersonName({ person }: Props) {
  return (
    <span className="ellipsis">
      <bdi>{person.name}</bdi> <span className="quiet">{about(person)}</span>
    </span>
  );
}

function about({ name, username, guest, isAssistant }: Props["person"]): string {
  if (isAssistant) return "answers questions";
  if (guest) return "guest";
  return username === name ? "" : `@${username}`;
}
