/** The program cannot start. The message says why, and what to do. */
export class CannotStart extends Error {}
