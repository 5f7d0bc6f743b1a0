interface Props {
  person: { name: string; username: string; guest?: boolean; isAssistant?: boolean };
}

/** What someone is called; with the name to mention them by, where that is another. */
export function PersonName({ person: { name, username, guest, isAssistant } }: Props) {
  return (
    <span className="ellipsis">
      <bdi>{name}</bdi>
      {isAssistant && <span className="quiet"> answers questions</span>}
      {guest ? <span className="quiet"> guest</span> : username !== name && <span className="quiet"> @{username}</span>}
    </span>
  );
}
