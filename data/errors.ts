/**
 * Errors of the data layer that a caller may want to tell apart. Every message names the next step.
 * @module
 */

/** Content that is not what the manifest or the lock file says it is. */
export class DataChecksumError extends Error {
  override readonly name = "DataChecksumError";

  /**
   * @param what The file or split, as a reader would name it.
   * @param actual The SHA-256 (or size) found.
   * @param expected The SHA-256 (or size) recorded.
   * @param next What to do now.
   */
  constructor(
    readonly what: string,
    readonly actual: string,
    readonly expected: string,
    next: string,
  ) {
    super(`Cannot use ${what}: its SHA-256 is ${actual}, expected ${expected}; ${next}`);
  }
}

/** Data that cannot be had now: no network, offline mode, or a server that keeps failing. */
export class DataUnavailableError extends Error {
  override readonly name = "DataUnavailableError";
}

/** The hub answered, and the answer is final: not found, not allowed, too large, broken redirect. */
export class HubError extends Error {
  override readonly name = "HubError";

  /**
   * @param message What went wrong and what to do.
   * @param status HTTP status of the answer; 0 when the status was not the problem.
   */
  constructor(message: string, readonly status = 0) {
    super(message);
  }
}
