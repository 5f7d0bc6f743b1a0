/** A new, globally unique id that makes a mutation idempotent. `crypto.randomUUID` exists only on https and localhost. */
export function newClientId(): string {
  if ("randomUUID" in crypto) return crypto.randomUUID();
  return Array.from((crypto as Crypto).getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
