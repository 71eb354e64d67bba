/**
 * A mistake of the person at the keyboard (unknown name, bad value, missing file). The command
 * line catches it in one place, prints the message as one line and leaves with {@link exitCode}.
 */
export class UserError extends Error {
  override readonly name = "UserError";
  /** Process exit code: 2 for wrong use, 1 where the command was right but could not be done. */
  readonly exitCode: number;

  /**
   * @param message One line: what is wrong, what was expected, what to do next.
   * @param exitCode Exit code of the process.
   * @param options The cause, where another error led here.
   */
  constructor(message: string, exitCode: number = 2, options: ErrorOptions = {}) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
